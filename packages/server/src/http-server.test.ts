import { createServer, request } from "node:http";
import { UsageError } from "@firehose-backfill/core/errors";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/status/sample-snapshot";
import { expect, test } from "vitest";
import { PortError, startHttpServer } from "./http-server.ts";

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

/** `fetch` will not send a Host of one's choice. */
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
