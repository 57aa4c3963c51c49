import { createServer } from "node:http";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { createNotifier, type NoticeMessage } from "./notifier.ts";
import { postWebhook } from "./post-webhook.ts";

function set() {
  const clock = new VirtualClock(Date.parse("2026-03-01T12:00:00Z"));
  const store = createMemoryStore();
  const sent: NoticeMessage[] = [];
  const lines: string[] = [];
  let failures = 0;
  const open = () =>
    createNotifier({
      store,
      clock,
      log: (line) => lines.push(line),
      post: (message) => {
        if (failures > 0) {
          failures -= 1;
          return Promise.reject(new Error("HTTP 500"));
        }
        sent.push(message);
        return Promise.resolve();
      },
    });
  return { clock, sent, lines, open, fail: (times: number) => (failures = times) };
}

test("issue 17.6: a thing is told once, also after a restart", async () => {
  const { sent, open } = set();
  const notifier = open();
  for (let look = 0; look < 3; look += 1) await notifier.look(sampleSnapshot());
  expect(sent.map(({ notice }) => notice.kind)).toEqual(["dead-events"]);
  await open().look(sampleSnapshot());
  expect(sent).toHaveLength(1);
  await notifier.look(sampleSnapshot({ status: "succeeded" }));
  expect(sent.map(({ notice }) => notice.kind)).toEqual(["dead-events", "ended"]);
});

test("issue 17.6: a notice that could not be sent is tried again, later each time, and the run goes on", async () => {
  const { clock, sent, lines, open, fail } = set();
  const notifier = open();
  fail(2);
  await notifier.look(sampleSnapshot());
  await notifier.look(sampleSnapshot());
  expect(lines).toEqual([
    "[BACKFILL] A notice (dead-events) could not be sent and is tried again in 30 s: Error: HTTP 500",
  ]);
  await clock.advance(30_000);
  await notifier.look(sampleSnapshot());
  expect(lines[1]).toContain("again in 60 s");
  await clock.advance(59_999);
  await notifier.look(sampleSnapshot());
  expect(sent).toEqual([]);
  await clock.advance(1);
  await notifier.look(sampleSnapshot());
  expect(sent).toHaveLength(1);
});

test("issue 17.6: a table that is away does not stop the run", async () => {
  const lines: string[] = [];
  const away = () => Promise.reject(new Error("the table is away"));
  const notifier = createNotifier({
    store: { getNotices: away, putNotices: away },
    clock: new VirtualClock(0),
    post: () => Promise.resolve(),
    log: (line) => lines.push(line),
  });
  await notifier.look(sampleSnapshot());
  expect(lines).toEqual(["[BACKFILL] What was told of the run is not known: Error: the table is away"]);
});

test("issue 17.6: a text from the network cannot mention anybody in a channel", async () => {
  const { sent, open } = set();
  await open().look(sampleSnapshot({ dead: 0, status: "errored", reason: "<!channel> @everyone & co" }));
  expect(sent[0]?.text).toContain("&lt;!channel&gt; @everyone &amp; co");
  expect(sent[0]?.content).toContain("<!channel> @everyone & co");
  expect(sent[0]?.allowed_mentions).toEqual({ parse: [] });
});

test("issue 17.6: a webhook gets one POST of JSON; a refusal is an error that does not name its address", async () => {
  const bodies: unknown[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => void (text += part));
    request.on("end", () => {
      bodies.push([request.method, request.headers["content-type"], JSON.parse(text)]);
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("no_text\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}/services/T0/secret`;
  await postWebhook(url, { text: "hello" });
  expect(bodies).toEqual([["POST", "application/json", { text: "hello" }]]);
  status = 400;
  await expect(postWebhook(url, {})).rejects.toThrow(/^the webhook answers with HTTP 400: no_text\\n$/);
  status = 302;
  const refused = await postWebhook(url, {}).catch((error: unknown) => error);
  expect(String(refused)).toMatch(/cannot be reached/);
  expect(String(refused)).not.toContain("secret");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(postWebhook(url, {})).rejects.toThrow(/^the webhook cannot be reached: (ECONNREFUSED|UND_ERR_SOCKET)$/);
});

test("issue 14.6: each open run is told of, by its name, and a receiver that is slow for one does not delay the other", async () => {
  const sent: string[] = [];
  const { promise: accepted, resolve: accept } = Promise.withResolvers<undefined>();
  const notifier = createNotifier({
    store: createMemoryStore(),
    clock: new VirtualClock(Date.parse("2026-03-01T12:00:00Z")),
    log: () => {},
    post: async ({ content, notice }) => {
      sent.push(`${notice.run} ${notice.name}: ${content.slice(0, 50)}`);
      if (notice.run === "run-1") await accepted;
    },
  });
  const slow = notifier.look(sampleSnapshot({ runId: "run-1" }));
  await notifier.look(sampleSnapshot({ runId: "run-2", name: "nightly" }));
  // The first notice is still being sent, so it is not sent a second time.
  await notifier.look(sampleSnapshot({ runId: "run-1" }));
  accept(undefined);
  await slow;
  await notifier.look(sampleSnapshot({ runId: "run-1" }));
  expect(sent).toEqual([
    "run-1 null: firehose-backfill: run run-1 on relay.example:443 ",
    "run-2 nightly: firehose-backfill: run nightly (run-2) on relay.ex",
  ]);
});
