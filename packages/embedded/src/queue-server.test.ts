import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { forkChild } from "./child.ts";
import { type QueueServer, startQueueServer } from "./queue-server.ts";

/** A temporary folder, removed after the test. */
async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "queue-server-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const clientOf = ({ endpoint }: QueueServer) =>
  new SQSClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "x", secretAccessKey: "x" } });

const send = (server: QueueServer, body: string, delaySeconds = 0) =>
  clientOf(server).send(
    new SendMessageCommand({ QueueUrl: server.queueUrl, MessageBody: body, DelaySeconds: delaySeconds }),
  );

const receive = async (server: QueueServer, options: { visibilitySeconds?: number; waitSeconds?: number } = {}) => {
  const { Messages = [] } = await clientOf(server).send(
    new ReceiveMessageCommand({
      QueueUrl: server.queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: options.waitSeconds ?? 0,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"],
    }),
  );
  return Messages.map((message) => ({
    body: message.Body,
    receipt: message.ReceiptHandle ?? "",
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount),
  }));
};

const attributesOf = async (server: QueueServer, QueueUrl: string) =>
  (await clientOf(server).send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }))).Attributes;

describe("the stand-in for SQS", () => {
  test("serves two queues at addresses that can be reached", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    await using server = await startQueueServer({ dataDir });
    expect(server.queueUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/000000000000\/firehose-backfill$/);
    expect(await attributesOf(server, server.queueUrl)).toMatchObject({
      VisibilityTimeout: "10",
      MessageRetentionPeriod: "345600",
      RedrivePolicy: expect.stringMatching(/"maxReceiveCount":1000\b/),
    });
    expect(await attributesOf(server, server.dlqUrl)).toMatchObject({ MessageRetentionPeriod: "1209600" });
  });

  test("is reachable from this machine only", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    await using server = await startQueueServer({ dataDir });
    const { port } = new URL(server.endpoint);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal);
    // If the machine has no second address, this uses 127.0.0.2, which is loopback, too, but not the address that is served.
    const socket = connect({ host: outside?.address ?? "127.0.0.2", port: Number(port) });
    const [error] = await once(socket, "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("keeps everything when it is killed, on whatever port it comes back", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    let hidden: string | undefined;
    {
      await using server = await startQueueServer({ dataDir });
      await send(server, "delayed", 2);
      await send(server, "hidden");
      [{ receipt: hidden } = { receipt: "" }] = await receive(server, { visibilitySeconds: 3 });
      await send(server, "let go");
      const [letGo] = await receive(server);
      await clientOf(server).send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: server.queueUrl,
          ReceiptHandle: letGo?.receipt ?? "",
          VisibilityTimeout: 0,
        }),
      );
      await send(server, "ready");
      process.kill(server.pid, "SIGKILL");
      expect(await server.exited).toBe(null);
    }
    await using server = await startQueueServer({ dataDir, visibilityTimeoutSeconds: 30 });
    expect(await attributesOf(server, server.queueUrl)).toMatchObject({ VisibilityTimeout: "30" });
    const first = await receive(server);
    expect(first.map(({ body, receiveCount }) => [body, receiveCount])).toEqual(
      expect.arrayContaining([
        ["let go", 2],
        ["ready", 1],
      ]),
    );
    const later: (string | undefined)[] = [];
    while (later.length + first.length < 4) {
      later.push(...(await receive(server, { waitSeconds: 4 })).map(({ body }) => body));
    }
    expect(new Set([...first.map(({ body }) => body), ...later])).toEqual(
      new Set(["delayed", "hidden", "let go", "ready"]),
    );
    expect(hidden).toBeTruthy();
  });

  test("a receipt from before the crash still holds", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    let receipt = "";
    {
      await using server = await startQueueServer({ dataDir });
      await send(server, "mine");
      receipt = (await receive(server, { visibilitySeconds: 600 }))[0]?.receipt ?? "";
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    }
    await using server = await startQueueServer({ dataDir });
    const command = { QueueUrl: server.queueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 };
    await clientOf(server).send(new ChangeMessageVisibilityCommand(command));
    expect(await receive(server)).toMatchObject([{ body: "mine", receiveCount: 2 }]);
  });

  test("ends when its parent is killed, and its place can be taken at once", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    const entry = new URL("../../testing/src/embedded/queue-server-parent.ts", import.meta.url);
    const parent = await forkChild({ entry, args: [dataDir], readyTimeoutMs: 30_000 });
    process.kill(parent.pid, "SIGKILL");
    await parent.exited;
    await using server = await startQueueServer({ dataDir });
    expect(await receive(server)).toMatchObject([{ body: "from the parent" }]);
    const orphan = Number(parent.ready);
    await vi.waitFor(async () => expect(await isRunning(orphan)).toBe(false), { timeout: 5000 });
  });

  test("two never serve the same folder", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    await using server = await startQueueServer({ dataDir });
    await expect(startQueueServer({ dataDir, folderTimeoutMs: 100 })).rejects.toThrow(/locked/);
    expect(await receive(server)).toEqual([]);
  });
});

/** A zombie does not count: its parent has not reaped it yet. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return !stat.includes(") Z ");
}
