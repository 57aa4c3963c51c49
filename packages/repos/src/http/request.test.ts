import { createGzip, gzipSync } from "node:zlib";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { describe, expect, it } from "vitest";
import { clientOf, LIMITS, passTime } from "@firehose-backfill/testing/repos/clients";
import { startServer } from "@firehose-backfill/testing/repos/http-server";

describe("how much comes, and how fast", () => {
  it("issue 15.5: an endless body is cut", async () => {
    await using server = await startServer((_, response) => {
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(10_000, 65)));
      };
      response.on("drain", write);
      write();
    });
    const { client, failure } = clientOf();
    using _ = client;
    expect(await failure(server.origin)).toMatchObject({
      name: "ResponseTooLargeError",
      message: "the answer is larger than 100000 bytes",
    });
  });

  it("issue 15.5: what inflates without an end is cut", async () => {
    await using server = await startServer((_, response) => {
      response.setHeader("content-encoding", "gzip");
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.end(Buffer.alloc(50_000_000));
    });
    const { client, failure } = clientOf();
    using _ = client;
    expect(await failure(server.origin)).toMatchObject({
      name: "ResponseTooLargeError",
      message: expect.stringContaining("inflates"),
    });
  });

  it.each([
    ["another encoding", "br", Buffer.from("x"), "encoded as br"],
    ["gzip in gzip", "gzip, gzip", gzipSync(gzipSync("x")), "encoded as gzip, gzip"],
    ["gzip that is none", "gzip", Buffer.from("plain text"), "gzip that is none"],
  ])("%s is a bad answer", async (_, encoding, body, message) => {
    await using server = await startServer((__, response) => {
      response.setHeader("content-encoding", encoding);
      response.end(body);
    });
    const { client, failure } = clientOf();
    using own = client;
    expect(own).toBe(client);
    expect(await failure(server.origin)).toMatchObject({
      name: "HostError",
      trouble: "bad-answer",
      message: expect.stringContaining(message),
    });
  });

  it("issue 15.5: a byte now and then is too slow", async () => {
    const clock = new VirtualClock();
    await using server = await startServer((_, response) => {
      const timer = setInterval(() => response.write("a"), 5);
      response.on("close", () => clearInterval(timer));
    });
    const { client, failure } = clientOf({ clock });
    using _ = client;
    const failed = failure(server.origin, { deadlineMs: 3_600_000 });
    const result = await passTime(clock, failed);
    expect(result).toMatchObject({ name: "HostError", trouble: "too-slow" });
  });

  it("issue 15.5: no answer at all ends at the deadline", async () => {
    const clock = new VirtualClock();
    await using server = await startServer(() => undefined);
    const { client, failure, states } = clientOf({ clock });
    using _ = client;
    const startMs = clock.now();
    const failed = failure(server.origin, { deadlineMs: 30_000 });
    expect(await passTime(clock, failed)).toMatchObject({ name: "HostError", trouble: "timeout" });
    expect(clock.now() - startMs).toBeLessThan(60_000);
    expect(states.get(`localhost:${server.port}`)).toMatchObject({ failures: 1 });
  });

  it("a reader that is slow itself is not the host's fault", async () => {
    const clock = new VirtualClock();
    await using server = await startServer((_, response) => response.end(Buffer.alloc(90_000, 65)));
    const { client } = clientOf({ clock });
    using _ = client;
    const request = { origin: server.origin, path: "/", accept: "*/*", limits: { ...LIMITS, deadlineMs: 3_600_000 } };
    const read = client.get(request, new AbortController().signal, async ({ body }) => {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.length;
        await clock.sleep(25_000);
      }
      return bytes;
    });
    expect(await passTime(clock, read)).toBe(90_000);
  });

  it("a connection that breaks within a body", async () => {
    await using server = await startServer((_, response) => {
      response.setHeader("content-length", "1000");
      response.write("half");
      setTimeout(() => response.destroy(), 10);
    });
    const { client, failure } = clientOf();
    using _ = client;
    expect(await failure(server.origin)).toMatchObject({ name: "HostError", trouble: "unreachable" });
  });
});
