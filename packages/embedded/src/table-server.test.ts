import { DescribeTableCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { forkChild } from "./child.ts";
import { startTableServer, type TableServer } from "./table-server.ts";

/** A temporary folder, removed after the test. */
async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "table-server-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function clientOf({ endpoint }: Pick<TableServer, "endpoint">): DynamoDBClient & Disposable {
  const client = new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  });
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

const KEY = { pk: { S: "counter" }, sk: { S: "counter" } };

async function count(server: Pick<TableServer, "endpoint" | "table">): Promise<number> {
  using client = clientOf(server);
  const { Attributes } = await client.send(
    new UpdateItemCommand({
      TableName: server.table,
      Key: KEY,
      UpdateExpression: "ADD n :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
      ReturnValues: "ALL_NEW",
    }),
  );
  return Number(Attributes?.["n"]?.N);
}

describe("the stand-in for DynamoDB", () => {
  test("has the table, on loopback", async () => {
    await using folder = await temporaryFolder();
    await using server = await startTableServer({ dataDir: join(folder.path, "not", "there") });
    expect(server.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    using client = clientOf(server);
    const { Table } = await client.send(new DescribeTableCommand({ TableName: server.table }));
    expect(Table).toMatchObject({
      TableStatus: "ACTIVE",
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    });
    expect(await count(server)).toBe(1);
  });

  test("keeps what it confirmed when it is killed in the middle of writing", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    let confirmed = 0;
    {
      await using server = await startTableServer({ dataDir });
      while (confirmed < 50) confirmed = await count(server);
      const writing = Array.from({ length: 8 }, () => count(server));
      process.kill(server.pid, "SIGKILL");
      const results = await Promise.allSettled(writing);
      for (const result of results) if (result.status === "fulfilled") confirmed = Math.max(confirmed, result.value);
      expect(await server.exited).toBe(null);
    }
    await using server = await startTableServer({ dataDir });
    // More items may have been written than were confirmed.
    using client = clientOf(server);
    const { Item } = await client.send(new GetItemCommand({ TableName: server.table, Key: KEY, ConsistentRead: true }));
    expect(Number(Item?.["n"]?.N)).toBeGreaterThanOrEqual(confirmed);
  });

  test("leaves SIGINT to its parent, and comes back as it was when it is stopped", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    {
      await using server = await startTableServer({ dataDir });
      process.kill(server.pid, "SIGINT");
      expect(await count(server)).toBe(1);
    }
    await using server = await startTableServer({ dataDir });
    expect(await count(server)).toBe(2);
  });

  test("ends when its parent is killed, and its place can be taken at once", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    const entry = new URL("../../testing/src/embedded/table-server-parent.ts", import.meta.url);
    const parent = await forkChild({ entry, args: [dataDir], readyTimeoutMs: 30_000 });
    const orphan: Pick<TableServer, "pid" | "endpoint" | "table"> = JSON.parse(String(parent.ready));
    expect(await count(orphan)).toBe(1);
    process.kill(parent.pid, "SIGKILL");
    await parent.exited;
    await using server = await startTableServer({ dataDir });
    expect(await count(server)).toBe(2);
    await vi.waitFor(async () => expect(await isRunning(orphan.pid)).toBe(false), { timeout: 5000 });
  });

  test("two never serve the same folder", async () => {
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    await using server = await startTableServer({ dataDir });
    await expect(startTableServer({ dataDir, folderTimeoutMs: 100 })).rejects.toThrow(/locked/);
    expect(await count(server)).toBe(1);
  });

  test("a start that is called off leaves no process", async () => {
    await using folder = await temporaryFolder();
    const reason = new Error("called off");
    const signal = AbortSignal.abort(reason);
    await expect(startTableServer({ dataDir: folder.path, signal })).rejects.toBe(reason);
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
