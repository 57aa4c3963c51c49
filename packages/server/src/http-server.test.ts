import { createServer, request } from "node:http";
import { connect } from "node:net";
import { UsageError } from "@firehose-backfill/core/errors";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, test } from "vitest";
import { openPort, startHttpServer } from "./http-server.ts";
import { PortError } from "./listen.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function start(events: unknown[] = [], port = 0) {
  return startHttpServer({
    port,
    snapshot: () => Promise.resolve(sampleSnapshot()),
    history: () => emptyHistory("run-1"),
    control: (event) => {
      events.push(event);
      if (JSON.stringify(event).includes("cancel")) return Promise.reject(new UsageError("there is no run to cancel"));
      return Promise.resolve({ message: "done" });
    },
    log: () => {},
  });
}

/** `fetch` cannot send another Host header. */
function ask(
  port: number,
  options: { method?: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, headers = {}, body } = options;
    const asked = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => void (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

test("serves the page with a policy that lets nothing else in, and the snapshot as JSON", async () => {
  await using server = await start();
  const page = await ask(server.port, { path: "/" });
  expect(page.status).toBe(200);
  expect(page.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'nonce-/);
  expect(page.body).toContain("<!doctype html>");
  const status = await ask(server.port, { path: "/status.json" });
  expect(JSON.parse(status.body)).toEqual(sampleSnapshot());
  expect((await ask(server.port, { path: "/etc/passwd" })).status).toBe(404);
});

test("issue 17.6: serves metrics in the format that is asked for", async () => {
  await using server = await start();
  const plain = await ask(server.port, { path: "/metrics" });
  expect(plain.headers["content-type"]).toMatch(/^text\/plain/);
  expect(plain.body).toContain('firehose_backfill_events_received_total{run="run-20260301-0900-k3"} 28120\n');
  const open = await ask(server.port, { path: "/metrics", headers: { accept: "application/openmetrics-text" } });
  expect(open.headers["content-type"]).toMatch(/^application\/openmetrics-text/);
});

test.each([
  ["another name in Host", { host: "evil.example" }],
  ["another name with our port", { host: "evil.example:8787" }],
  ["a page of another site", { origin: "https://evil.example" }],
  ["another local port's page", { origin: "http://127.0.0.1:1" }],
  ["fault 29: a sandboxed frame of another site", { origin: "null" }],
  [
    "fault 29: that, as a browser says it",
    { origin: "null", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
  ],
  ["fault 29: another site, without an origin", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ["fault 29: another local port, without an origin", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }],
])("refuses %s", async (_name, headers: Record<string, string>) => {
  const events: unknown[] = [];
  await using server = await start(events);
  const body = JSON.stringify({ action: "pause" });
  const control = await ask(server.port, {
    method: "POST",
    path: "/control",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  expect(control.status).toBe(403);
  expect((await ask(server.port, { path: "/status.json", headers })).status).toBe(403);
  expect(events).toEqual([]);
});

test("hands control events on, from scripts and from forms, and answers each in its own way", async () => {
  const events: unknown[] = [];
  await using server = await start(events);
  const json = { "content-type": "application/json", origin: server.url, host: `127.0.0.1:${server.port}` };
  const done = await ask(server.port, { method: "POST", path: "/control", headers: json, body: '{"action":"pause"}' });
  expect([done.status, JSON.parse(done.body)]).toEqual([200, { ok: true, message: "done" }]);
  const refused = await ask(server.port, {
    method: "POST",
    path: "/control",
    headers: json,
    body: '{"action":"cancel"}',
  });
  expect([refused.status, JSON.parse(refused.body)]).toEqual([409, { ok: false, error: "there is no run to cancel" }]);
  const broken = await ask(server.port, { method: "POST", path: "/control", headers: json, body: "{" });
  expect(broken.status).toBe(400);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const sent = await ask(server.port, { method: "POST", path: "/control", headers: form, body: "action=pause-now" });
  expect(sent.status).toBe(303);
  const page = await ask(server.port, { path: String(sent.headers["location"]) });
  expect(page.body).toContain("<!doctype html>");
  expect(events).toEqual([{ action: "pause" }, { action: "cancel" }, { action: "pause", now: true }]);
});

test("takes neither other content types nor endless bodies", async () => {
  await using server = await start();
  const text = { "content-type": "text/plain" };
  expect((await ask(server.port, { method: "POST", path: "/control", headers: text, body: "{}" })).status).toBe(415);
  const json = { "content-type": "application/json" };
  const body = `"${"x".repeat(1024 * 1024)}"`;
  expect((await ask(server.port, { method: "POST", path: "/control", headers: json, body })).status).toBe(413);
});

test("a port that is taken is one clear message", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, "127.0.0.1", resolve);
  });
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(start([], port)).rejects.toThrow(PortError);
  await expect(start([], port)).rejects.toThrow(`port ${port} is in use: set PORT to another one, or to 0`);
  other.close();
});

test("fault 21: who holds the port is named, where the system tells", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, "127.0.0.1", resolve);
  });
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const message = process.platform === "linux" ? new RegExp(`pid ${process.pid} \\(.+\\) listens there`) : /in use/;
  await expect(start([], port)).rejects.toThrow(message);
  other.close();
});

test("fault 21: a port that is open before there is anything to serve says so", async () => {
  await using opened = await openPort(0);
  expect(await ask(opened.port, { path: "/status.json" })).toMatchObject({
    status: 503,
    headers: { "retry-after": "1" },
  });
});

/** Sends raw bytes that no client would send. */
function raw(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`));
    socket.setEncoding("utf8").on("data", (text: string) => void (answer += text));
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

describe("fault 26: requests of other forms", () => {
  const LOOPBACK = "127.0.0.1";
  test.each<[string, string, number]>([
    ["GET / HTTP/1.1", LOOPBACK, 200],
    ["GET /?x=1#y HTTP/1.1", LOOPBACK, 200],
    ["HEAD / HTTP/1.1", LOOPBACK, 200],
    ["HEAD /status.json HTTP/1.1", LOOPBACK, 200],
    ["HEAD /nothing HTTP/1.1", LOOPBACK, 404],
    ["GET // HTTP/1.1", LOOPBACK, 404],
    ["GET //evil.example/ HTTP/1.1", LOOPBACK, 404],
    ["GET /%zz HTTP/1.1", LOOPBACK, 404],
    ["GET /../status.json HTTP/1.1", LOOPBACK, 404],
    ["GET /\\ HTTP/1.1", LOOPBACK, 404],
    ["GET http://127.0.0.1/status.json HTTP/1.1", LOOPBACK, 200],
    ["GET http://[ HTTP/1.1", LOOPBACK, 403],
    ["GET http://evil.example/ HTTP/1.1", LOOPBACK, 403],
    ["OPTIONS * HTTP/1.1", LOOPBACK, 404],
    ["OPTIONS / HTTP/1.1", LOOPBACK, 405],
    ["TRACE / HTTP/1.1", LOOPBACK, 405],
    ["PUT /status.json HTTP/1.1", LOOPBACK, 405],
    ["GET /control HTTP/1.1", LOOPBACK, 405],
    ["POST / HTTP/1.1", LOOPBACK, 405],
    ["GET / HTTP/1.1", "LOCALHOST", 200],
    ["GET / HTTP/1.1", "localhost.", 200],
    ["GET / HTTP/1.1", "Localhost:8787", 200],
    ["GET / HTTP/1.1", "localhost.:8787", 200],
    ["GET / HTTP/1.1", "127.0.0.1:8787", 200],
    ["GET / HTTP/1.1", "[::1]", 200],
    ["GET / HTTP/1.1", "[::1]:8787", 200],
    ["GET / HTTP/1.1", "", 403],
    ["GET / HTTP/1.1", "localhost.evil.example", 403],
    ["GET / HTTP/1.1", "evil.example", 403],
    ["GET / HTTP/1.1", "127.0.0.1.evil.example:8787", 403],
    ["GET / HTTP/1.1", "localhost:8787@evil.example", 403],
    ["GET / HTTP/1.1", "127.0.0.1 evil.example", 403],
  ])("%s, Host: %s: %i", async (line, host, status) => {
    await using server = await start();
    const answer = await raw(server.port, [line, `Host: ${host}`]);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    const isBodyless = line.startsWith("HEAD");
    expect(body === "").toBe(isBodyless);
    expect(/^allow: (get, head|post)$/m.test(head.toLowerCase())).toBe(status === 405);
    // The page's own scripts contain the word error.
    expect(status !== 200 && /^\s+at |Error/m.test(answer)).toBe(false);
  });

  test("what is no HTTP at all", async () => {
    await using server = await start();
    for (const line of ["GET http: HTTP/1.1", "GET / HTTP/9", "nonsense"])
      expect(await raw(server.port, [line, `Host: ${LOOPBACK}`])).toMatch(/^HTTP\/1.1 400 /);
  });

  test("without Host, and with an Origin in other case", async () => {
    await using server = await start();
    expect(await raw(server.port, ["GET / HTTP/1.0"])).toMatch(/^HTTP\/1.1 403 /);
    const headers = { host: `LOCALHOST:${server.port}`, origin: `http://localhost:${server.port}` };
    expect((await ask(server.port, { path: "/status.json", headers })).status).toBe(200);
  });
});

test("issue 17.5: the page, the command and other programs are told apart", async () => {
  const senders: string[] = [];
  await using server = await startHttpServer({
    port: 0,
    snapshot: () => Promise.resolve(sampleSnapshot()),
    history: () => emptyHistory("run-1"),
    control: (_event, by) => Promise.resolve({ message: String(senders.push(by)) }),
    log: () => {},
  });
  const json = { "content-type": "application/json" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  for (const [headers, body] of [
    [form, "action=pause"],
    [{ ...json, "x-firehose-backfill-sender": "command" }, '{"action":"pause"}'],
    [json, '{"action":"pause"}'],
  ] as const)
    await ask(server.port, { method: "POST", path: "/control", headers, body });
  expect(senders).toEqual(["page", "command", "control event"]);
});
