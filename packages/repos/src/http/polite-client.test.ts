import { Agent } from "node:http";
import { connect } from "node:net";
import { createGzip, gzipSync } from "node:zlib";
import { systemClock } from "@firehose-backfill/core/clock";
import { VirtualClock } from "@firehose-backfill/core/virtual-clock";
import { describe, expect, it, vi } from "vitest";
import { loopbackNames, startServer } from "../testing/http-server.ts";
import type { ResolveName } from "./guarded-lookup.ts";
import type { HostState } from "./host-state.ts";
import { createPoliteClient, type PoliteClientOptions } from "./polite-client.ts";
import { openAgents, type RequestLimits, sendGet } from "./request.ts";

const LIMITS: RequestLimits = {
  maxBytes: 100_000,
  maxInflatedBytes: 200_000,
  deadlineMs: 60_000,
  minBytesPerWindow: 1_000,
  windowMs: 10_000,
};

function clientOf(options: Partial<PoliteClientOptions> = {}) {
  const states = new Map<string, HostState>();
  const client = createPoliteClient({
    clock: systemClock,
    random: () => 0,
    resolveName: loopbackNames,
    userAgent: "test/1",
    rules: { allowLoopback: true },
    requestsPerSecond: 1_000,
    states,
    maxWaitMs: 10_000,
    ...options,
  });
  const get = (origin: string, limits: Partial<RequestLimits> = {}, signal = new AbortController().signal) =>
    client.get(
      { origin, path: "/x", accept: "*/*", limits: { ...LIMITS, ...limits } },
      signal,
      async ({ status, body }) => {
        let text = "";
        for await (const chunk of body) text += Buffer.from(chunk).toString("latin1");
        return { status, text };
      },
    );
  const failure = async (origin: string, limits?: Partial<RequestLimits>, signal?: AbortSignal): Promise<unknown> =>
    get(origin, limits, signal).then(
      () => "answered",
      (error: unknown) => error,
    );
  return { client, states, get, failure };
}

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

describe("where we connect to", () => {
  const connectedTo = async (addresses: readonly string[], origin = "https://pds.example.com") => {
    const { client, failure } = clientOf({
      rules: { allowLoopback: false },
      resolveName: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    });
    using _ = client;
    return await failure(origin);
  };

  it.each([
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
  ])("issue 15.5: a public name that points to %s is refused", async (address) => {
    expect(await connectedTo([address])).toMatchObject({
      name: "ForbiddenAddressError",
      message: expect.stringContaining(address),
    });
  });

  it("issue 15.5: one private address among public ones is enough", async () => {
    expect(await connectedTo(["1.1.1.1", "10.0.0.1"])).toMatchObject({ name: "ForbiddenAddressError" });
  });

  it("a name without an address", async () => {
    expect(await connectedTo([])).toMatchObject({
      name: "ForbiddenAddressError",
      message: "pds.example.com has no address",
    });
  });

  it.each([
    "http://pds.example.com",
    "https://localhost",
    "https://127.0.0.1",
    "https://[::ffff:127.0.0.1]",
    "http://localhost:80",
  ])("issue 15.5: %s is not even looked up", async (origin) => {
    const resolveName = vi.fn<ResolveName>(loopbackNames);
    const { client, failure } = clientOf({ rules: { allowLoopback: false }, resolveName });
    using _ = client;
    expect(await failure(origin)).toMatchObject({ name: "ForbiddenAddressError" });
    expect(resolveName).not.toHaveBeenCalled();
  });

  it("issue 15.5: rebinding: the address that was looked up for the connection is the one that is checked, every time", async () => {
    const answers = ["1.1.1.1", "127.0.0.1"];
    const asked: string[] = [];
    const resolveName = async () => {
      const address = answers[Math.min(asked.length, 1)] ?? "";
      asked.push(address);
      return [{ address, family: 4 }];
    };
    const { client, failure } = clientOf({ rules: { allowLoopback: false }, resolveName });
    using _ = client;
    // The first look-up, as a check before the request would make it, is spent here; the connection makes its own.
    await resolveName();
    expect(await failure("https://pds.example.com")).toMatchObject({ name: "ForbiddenAddressError" });
    expect(asked).toEqual(["1.1.1.1", "127.0.0.1"]);
  });

  it("issue 15.5: the address of the socket is checked, whatever made the connection", async () => {
    await using server = await startServer((_, response) => response.end("secret"));
    const agent = new Agent();
    agent.createConnection = () => connect(server.port, "127.0.0.1");
    const agents = { ...openAgents(), http: agent };
    const endpoint = {
      origin: "http://pds.example.com",
      host: "pds.example.com:80",
      hostname: "pds.example.com",
      port: 80,
      isSecure: false,
      isLoopback: false,
    };
    const sent = sendGet(
      { endpoint, path: "/", accept: "*/*" },
      LIMITS,
      { agents, clock: systemClock, resolveName: loopbackNames, userAgent: "test/1" },
      new AbortController().signal,
      async () => "answered",
    );
    await expect(sent).rejects.toMatchObject({ name: "ForbiddenAddressError" });
    expect(server.asked).toEqual([]);
    agents.https.destroy();
    agent.destroy();
  });

  it("loopback, where it is allowed, is this machine and nothing behind a local name", async () => {
    const { client, failure } = clientOf({ resolveName: async () => [{ address: "10.0.0.1", family: 4 }] });
    using _ = client;
    expect(await failure("http://pds.localhost:9")).toMatchObject({
      name: "ForbiddenAddressError",
      message: expect.stringContaining("not this machine"),
    });
  });
});

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

/** Moves the clock on, while real sockets get real time, until the promise settles. */
async function passTime<T>(clock: VirtualClock, promise: Promise<T>, stepMs = 1_000): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  await vi.waitUntil(
    async () => {
      if (!isSettled) await clock.advance(stepMs);
      return isSettled;
    },
    { timeout: 30_000, interval: 5 },
  );
  return await settled;
}
