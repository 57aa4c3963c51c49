import { gzipSync } from "node:zlib";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { describe, expect, it, vi } from "vitest";
import { clientOf, passTime } from "@firehose-backfill/testing/repos/clients";
import { startServer } from "@firehose-backfill/testing/repos/http-server";

describe("a request", () => {
  it("says who we are, takes gzip, and keeps one connection", async () => {
    const seen: (string | undefined)[] = [];
    await using server = await startServer((request, response) => {
      seen.push(request.headers["user-agent"], request.headers["accept-encoding"]?.toString());
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync("hello"));
    });
    const { client, get, states } = clientOf();
    using _ = client;
    const answers = await Promise.all(Array.from({ length: 5 }, () => get(server.origin)));
    expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(Array<string>(5).fill("200 hello"));
    expect(seen.slice(0, 2)).toEqual(["test/1", "gzip"]);
    expect(server.connections()).toBe(1);
    expect(states.get(`localhost:${server.port}`)).toMatchObject({ requests: 5, errors: 0 });
  });

  it("is sent again where the host had closed the kept connection, and only then", async () => {
    let isClosing = false;
    await using server = await startServer((request, response) => {
      if (isClosing) request.socket.destroy();
      else response.end("hello");
      isClosing = !isClosing;
    });
    const { client, get, states } = clientOf();
    using _ = client;
    await get(server.origin);
    expect(await get(server.origin)).toEqual({ status: 200, text: "hello" });
    expect([server.asked.length, server.connections()]).toEqual([3, 2]);
    expect(states.get(`localhost:${server.port}`)).toMatchObject({ errors: 0 });
    await using broken = await startServer((request) => request.socket.destroy());
    await expect(get(broken.origin)).rejects.toMatchObject({ name: "HostError", trouble: "unreachable" });
    expect(broken.asked).toHaveLength(1);
  });

  it("an error status with its body reaches the caller", async () => {
    await using server = await startServer((_, response) => {
      response.statusCode = 400;
      response.end("why");
    });
    const { client, get, states } = clientOf();
    using _ = client;
    expect(await get(server.origin)).toEqual({ status: 400, text: "why" });
    expect(states.get(`localhost:${server.port}`)).toMatchObject({ failures: 0 });
  });

  it("issue 15.5: redirects are not followed", async () => {
    await using target = await startServer((_, response) => response.end("secret"));
    await using server = await startServer((_, response) => {
      response.writeHead(302, { location: target.origin });
      response.end();
    });
    const { client, failure } = clientOf();
    using _ = client;
    expect(await failure(server.origin)).toMatchObject({ name: "HostError", trouble: "redirect" });
    expect(target.asked).toEqual([]);
  });

  it("a stop ends it at once, and is not held against the host", async () => {
    await using server = await startServer(() => undefined);
    const { client, failure, states } = clientOf();
    using _ = client;
    const controller = new AbortController();
    const failed = failure(server.origin, {}, controller.signal);
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    controller.abort();
    expect(await failed).toMatchObject({ name: "HostError" });
    expect(states.get(`localhost:${server.port}`)).toMatchObject({ failures: 0 });
  });
});

describe("politeness", () => {
  it("issue 15.5: requests to one host go out at its rate, one after the other; another host does not wait", async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    await using server = await startServer((_, response) => {
      times.push(clock.now());
      response.end("x");
    });
    await using other = await startServer((_, response) => response.end("y"));
    const { client, get } = clientOf({ clock, requestsPerSecond: 2 });
    using _ = client;
    const startMs = clock.now();
    const all = Promise.all(Array.from({ length: 5 }, () => get(server.origin)));
    expect(await get(other.origin)).toMatchObject({ text: "y" });
    expect(clock.now()).toBe(startMs);
    await passTime(clock, all, 100);
    // On a clock that is moved by hand in steps of 100 ms.
    for (const [index, time] of times.entries()) expect(time - startMs).toBeGreaterThanOrEqual(500 * index);
    expect(times).toHaveLength(5);
  });

  it.each([1, 3])("%i connections to a host at once, where so many are allowed", async (connectionsPerHost) => {
    let active = 0;
    let most = 0;
    await using server = await startServer((_, response) => {
      active += 1;
      most = Math.max(most, active);
      setTimeout(() => {
        active -= 1;
        response.end("x");
      }, 20);
    });
    const { client, get } = clientOf({ connectionsPerHost });
    using _ = client;
    await Promise.all(Array.from({ length: 10 }, () => get(server.origin)));
    expect([most, server.connections()]).toEqual([connectionsPerHost, connectionsPerHost]);
  });

  it("issue 15.5: a 429 in HTML without headers: the host is not asked for a minute, and the caller hears until when", async () => {
    await using server = await startServer((_, response) => {
      response.writeHead(429, { "content-type": "text/html" });
      response.end("<html>slow down</html>");
    });
    const clock = new VirtualClock();
    const { client, failure, states } = clientOf({ clock });
    using _ = client;
    expect(await failure(server.origin)).toMatchObject({ name: "HostError", trouble: "rate-limited" });
    expect(await failure(server.origin)).toMatchObject({ name: "HostWaitingError", untilMs: clock.now() + 60_000 });
    expect(server.asked).toHaveLength(1);
    await clock.advance(60_000);
    expect(await failure(server.origin)).toMatchObject({ trouble: "rate-limited" });
    expect(states.get(`localhost:${server.port}`)).toMatchObject({
      failures: 2,
      waitingUntilMs: clock.now() + 120_000,
    });
  });

  it("a 5xx pauses the host; 501 is an answer", async () => {
    let status = 501;
    await using server = await startServer((_, response) => {
      response.statusCode = status;
      response.end();
    });
    const { client, get, failure } = clientOf();
    using _ = client;
    expect(await get(server.origin)).toMatchObject({ status: 501 });
    status = 503;
    expect(await failure(server.origin)).toMatchObject({ name: "HostError", trouble: "bad-answer" });
  });
});
