/** What a person gets who presses Test in the console or opens the page: answers that say what is wrong and what would be right. */
import { parseControlEvent } from "@firehose-backfill/backfill/control-event";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { startReplayRelay, type ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import type { LambdaFunctionURLResult } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mixedFrames } from "../support/recordings.ts";
import { type Services, type Stage, startServices } from "./stage.ts";

let services: Services;
let relay: ReplayRelay;
let stage: Stage;

beforeAll(async () => {
  [services, relay] = await Promise.all([startServices(), startReplayRelay({ frames: mixedFrames() })]);
  stage = await services.newStage({ name: "console", relayUrl: relay.url });
}, 120_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

describe("events that are not understood", () => {
  it.each<{ event: unknown; says: RegExp; problems?: number }>([
    { event: null, says: /must be a JSON object with an action/ },
    { event: { key1: "value1" }, says: /action is missing; it takes one of start, status/ },
    { event: { action: "strat" }, says: /action is "strat"/ },
    { event: { action: "pause", soon: true }, says: /pause does not take "soon"; it takes now/ },
    { event: { action: "start", days: 1, from: "oldest" }, says: /give one of them/ },
    { event: { action: "start", from: "yesterday" }, says: /from is "yesterday"; it takes a sequence number/ },
    {
      event: { action: "start", days: "soon", settings: { BACKFILL_BATCH_SIZE: "abc", BACKFILL_SPEED: 1 } },
      says: /BACKFILL_BATCH_SIZE.*abc/s,
      problems: 3,
    },
    { event: { action: "start", relay: "wss://elsewhere.example" }, says: /never from an event/ },
    { event: { action: "start", settings: { BACKFILL_TABLE: "another" } }, says: /a control event cannot set it/ },
    { event: { action: "start", collections: ["@/etc/passwd"] }, says: /BACKFILL_COLLECTIONS/ },
    { event: { action: "pause" }, says: /there is no run to pause: start one first/ },
    { event: { action: "tune", settings: { BACKFILL_DAYS: 3 } }, says: /BACKFILL_DAYS cannot be tuned/ },
  ])("answers $event", async ({ event, says, problems = 1 }) => {
    const answer = await stage.ask(event);
    expect(answer).toMatchObject({ ok: false, message: expect.stringMatching(says) });
    expect(answer).toHaveProperty("problems.length", problems);
    expect(JSON.stringify(answer)).not.toMatch(/\bat .*:\d+:\d+/);
    expect(await stage.store.currentRun()).toBe(null);
  });

  it("never counts as a failure of the function", () => {
    expect(stage.functions.control.invocations.map(({ outcome }) => outcome)).not.toContain("error");
  });

  it("are refused by reader and consumer as errors, which alarms see", async () => {
    expect(await stage.functions.reader.invoke({ key1: "value1" })).toMatchObject({
      outcome: "error",
      error: expect.stringContaining('UsageError: the reader takes { "action": "tick" }'),
    });
    expect(await stage.functions.consumer.invoke({ key1: "value1" })).toMatchObject({
      outcome: "error",
      error: expect.stringContaining("UsageError: the consumer is invoked by its queue"),
    });
  });
});

describe("the life of a run", () => {
  it("is steered by events, each answered with what was done and how the run looks", async () => {
    const start = await stage.ask({ action: "start", days: 1, profile: "fast" });
    expect(start).toMatchObject({ ok: true, snapshot: { status: "enqueued", profile: "fast" } });
    expect(start.message).toContain("BACKFILL_MAX_CONCURRENT stays at the deployed 2: 10 needs a deploy");
    expect(start.message).toContain("BACKFILL_MAX_MEMORY_MB stays at the deployed 512: 2048 needs a deploy");
    expect(await stage.ask({ action: "start" })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^run .* is enqueued: one run at a time/),
    });
    expect(await stage.ask({ action: "status" })).toMatchObject({ ok: true, snapshot: { consumers: { max: 2 } } });

    const settings = { BACKFILL_BATCH_DELAY_MS: 4_000, BACKFILL_MAX_CONCURRENT: 50 };
    expect(await stage.ask({ action: "tune", settings })).toMatchObject({
      ok: true,
      message: expect.stringMatching(
        /BACKFILL_BATCH_DELAY_MS 500 -> 4000; BACKFILL_MAX_CONCURRENT stays at the deployed 2/,
      ),
      snapshot: { settings: { BACKFILL_BATCH_DELAY_MS: { value: 4_000, source: "tune" } } },
    });
    const runId = (await stage.store.currentRun())?.runId ?? "none";
    const report = { id: "one", atMs: Date.now(), rssMb: 300, limitMb: 512, active: 1, poolUsed: 1, poolSize: 1 };
    await stage.store.reportConsumer(runId, report);
    // fault 22: control does not see the memory of consumers, but they have said it.
    const tooLow = await stage.ask({ action: "tune", settings: { BACKFILL_MAX_MEMORY_MB: 256 } });
    expect(tooLow).toMatchObject({
      ok: false,
      message: expect.stringMatching(/256, but every consumer holds .* 300 MB/),
    });
    expect(await stage.ask({ action: "pause", now: true })).toMatchObject({ ok: true, snapshot: { status: "paused" } });
    expect(await stage.ask({ action: "pause" })).toMatchObject({
      ok: false,
      message: expect.stringContaining("paused"),
    });
    expect(await stage.ask({ action: "resume" })).toMatchObject({ ok: true, snapshot: { status: "running" } });
    expect(await stage.ask({ action: "cancel" })).toMatchObject({ ok: true, snapshot: { status: "cancelling" } });
    await stage.tick();
    // Kept by the tick, for plots: where the run has been, and what turned it.
    expect(await stage.ask({ action: "status", history: true })).toMatchObject({
      snapshot: { status: "cancelled" },
      history: { points: [{ ratePerSecond: 0 }], marks: [{ kind: "state" }, { kind: "tune" }] },
    });
  });

  it("issue 18.1: a redrive moves dead letters with the function's own rights, and within its time", async () => {
    const letters = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody: `letter ${index}` }));
    for (let call = 0; call < 3; call += 1) {
      await stage.sqs.send(new SendMessageBatchCommand({ QueueUrl: stage.dlqUrl, Entries: letters }));
    }
    const answer = await stage.ask({ action: "redrive" });
    expect(answer).toMatchObject({
      ok: true,
      message: expect.stringMatching(/^30 dead letters and 0 dead events are back/),
    });
    expect(await stage.deadLetters()).toBe(0);
    expect(stage.functions.control.invocations.at(-1)?.billedMs).toBeLessThan(25_000);
  });

  it("does not begin where the database cannot be reached, and the answer holds no password", async () => {
    const databaseUrl = "postgres://somebody:hunter2@127.0.0.1:1/nothing";
    await using unreachable = await services.newStage({ name: "unreachable", relayUrl: relay.url, databaseUrl });
    const answer = await unreachable.ask({ action: "start", days: 1 });
    expect(answer).toMatchObject({ ok: false, message: expect.stringContaining("cannot reach the database") });
    expect(JSON.stringify(answer) + unreachable.functions.control.output()).not.toContain("hunter2");
    expect(await unreachable.store.currentRun()).toBe(null);
  });

  it("understands each of the ready-made events of the console", async () => {
    const { TEST_EVENTS }: { TEST_EVENTS: Record<string, unknown> } = await import(
      new URL("../../infra/test-events.ts", import.meta.url).href
    );
    expect(Object.keys(TEST_EVENTS).length).toBeGreaterThan(6);
    for (const event of Object.values(TEST_EVENTS)) expect(() => parseControlEvent(event)).not.toThrow();
  });
});

describe("issue 14.1: several runs on one stage", () => {
  it("are listed where an event names none, which is wrong in itself; and each is steered and shown by its name", async () => {
    await using several = await services.newStage({ name: "several", relayUrl: relay.url });
    await several.ask({ action: "start", collections: ["app.bsky.feed.post"], name: "posts" });
    await several.ask({ action: "start", collections: ["app.bsky.feed.like"], name: "likes" });
    expect(await several.ask({ action: "pause" })).toMatchObject({
      ok: false,
      isMalformed: true,
      message: expect.stringMatching(/^2 runs are open: say which one to pause .*posts.*likes/s),
    });
    expect(await several.ask({ action: "status" })).toMatchObject({
      ok: true,
      message: expect.stringMatching(/^2 runs are open:/),
      snapshots: [{ name: "posts" }, { name: "likes" }],
    });
    const one = await several.ask({ action: "status", run: "posts" });
    expect(one).toMatchObject({ ok: true, snapshot: { name: "posts" } });
    expect(one).not.toHaveProperty("snapshots");
    expect(await several.ask({ action: "cancel", run: "posts" })).toMatchObject({
      snapshot: { name: "posts", status: "cancelling" },
    });
    await several.tick();
    // One is open: the answer is as it always was.
    const last = await several.ask({ action: "status" });
    expect(last).toMatchObject({ ok: true, snapshot: { name: "likes" } });
    expect(last).not.toHaveProperty("snapshots");
    await several.ask({ action: "cancel" });
  });
});

describe("the status page", () => {
  async function get(path: string, accept: string, method = "GET") {
    const { body } = await stage.functions.status.invoke({
      version: "2.0",
      rawPath: path,
      headers: { accept },
      requestContext: { http: { method, path } },
    });
    const result: Exclude<LambdaFunctionURLResult, string> = JSON.parse(body ?? "null");
    return {
      status: result.statusCode,
      type: result.headers?.["content-type"],
      headers: result.headers,
      body: result.body,
    };
  }

  it.each([
    { path: "/", accept: "text/html,application/xhtml+xml,*/*;q=0.8", type: "text/html", holds: "<!doctype html>" },
    { path: "/", accept: "*/*", type: "text/html", holds: "<!doctype html>" },
    { path: "/", accept: "application/json", type: "application/json", holds: '"status":"cancelled"' },
    { path: "/", accept: "text/plain", type: "text/plain", holds: "cancelled" },
    { path: "/status.json", accept: "text/html", type: "application/json", holds: '"status":"cancelled"' },
    { path: "/status.txt", accept: "*/*", type: "text/plain", holds: "cancelled" },
    { path: "/history.json", accept: "*/*", type: "application/json", holds: '"kind":"tune"' },
  ])("is $type at $path for $accept", async ({ path, accept, type, holds }) => {
    const page = await get(path, accept);
    expect(page).toMatchObject({ status: 200, type: `${type}; charset=utf-8`, body: expect.stringContaining(holds) });
    expect(page.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  it("lets no script run but its own", async () => {
    const { headers, body } = await get("/", "text/html");
    const [, nonce] = /script-src 'nonce-([^']+)'/.exec(String(headers?.["content-security-policy"])) ?? [];
    expect(body).toContain(`nonce="${nonce}"`);
  });

  it("only reads, and knows no other path", async () => {
    expect(await get("/control", "*/*", "POST")).toMatchObject({
      status: 405,
      body: expect.stringContaining("read-only"),
    });
    expect(await get("/favicon.ico", "*/*")).toMatchObject({ status: 404 });
  });

  it("issue 17.4: has no page of dead events, because it reaches no database, and names the command that lists them", async () => {
    expect(await get("/dead", "text/html")).toMatchObject({
      status: 404,
      body: expect.stringContaining("firehose-backfill dead"),
    });
    expect((await get("/", "text/html")).body).not.toContain("/dead");
  });

  it("is no answer to what did not come through its address", async () => {
    const { body } = await stage.functions.status.invoke({});
    expect(JSON.parse(body ?? "null")).toMatchObject({ statusCode: 400 });
  });
});

describe("issue 14.6: the status page of several runs", () => {
  async function get(path: string, query = "", accept = "*/*") {
    const { body } = await stage.functions.status.invoke({
      version: "2.0",
      rawPath: path,
      rawQueryString: query,
      headers: { accept },
      requestContext: { http: { method: "GET", path } },
    });
    const result: Exclude<LambdaFunctionURLResult, string> = JSON.parse(body ?? "null");
    return { status: result.statusCode, body: result.body ?? "" };
  }

  it("is a list, a page and a report of each, and JSON of one or all", async () => {
    for (const [name, days] of [
      ["long", 3],
      ["nightly", 1],
    ] as const)
      expect(await stage.ask({ action: "start", days, name })).toMatchObject({ ok: true });
    expect((await get("/")).body).toContain("2 runs are open");
    expect((await get("/runs")).body).toContain("Past runs");
    expect(JSON.parse((await get("/status.json")).body)).toMatchObject({ name: "nightly", openRuns: 2 });
    expect(JSON.parse((await get("/runs.json")).body)).toMatchObject([{ name: "long" }, { name: "nightly" }]);
    expect((await get("/", "run=long")).body).toContain('name="run" value="');
    expect(JSON.parse((await get("/status.json", "run=long")).body)).toMatchObject({ name: "long" });
    const past: readonly { readonly runId: string; readonly status: string }[] = JSON.parse(
      (await get("/past.json")).body,
    );
    expect(past[0]).toMatchObject({ status: "cancelled" });
    expect((await get("/report", `run=${past[0]?.runId}`)).body).toContain("<title>Run ");
    expect(await get("/", "run=nothing")).toMatchObject({ status: 404 });
    for (const run of ["long", "nightly"]) await stage.ask({ action: "cancel", run });
    await stage.tick();
  });
});
