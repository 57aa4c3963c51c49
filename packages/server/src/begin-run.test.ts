import { control, type ControlDeps } from "@firehose-backfill/backfill/control";
import { createMemoryStore } from "@firehose-backfill/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { ConfigError } from "@firehose-backfill/core/errors";
import { VirtualClock } from "@firehose-backfill/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/queue/memory-queue";
import { expect, test } from "vitest";
import { beginRun } from "./begin-run.ts";

function setUp() {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const deps: ControlDeps = {
    store,
    queue: createMemoryQueue({ clock, random: Math.random }),
    clock,
    random: Math.random,
    configure: (values) => parseConfig({}, { overrides: [{ source: "event", values }] }),
    limits: null,
    allowRelayFromEvent: false,
  };
  const said: string[] = [];
  const begin = (settings: Record<string, string> = {}) =>
    beginRun(deps, { config: parseConfig(settings), start: null, log: (line) => said.push(line) });
  return { store, begin, said, deps };
}

test("begins a run, and the next start goes on with it", async () => {
  const { begin } = setUp();
  const first = await begin();
  expect(first).toMatchObject({ kind: "new", run: { status: "enqueued" } });
  const second = await begin();
  expect(second).toMatchObject({ kind: "resumed", run: { runId: first.run?.runId } });
});

test("after a finished run a start begins a new one", async () => {
  const { begin, store } = setUp();
  const { run } = await begin();
  await store.transition(run?.runId ?? "", ["enqueued"], "cancelled", { finishedAtMs: 1 });
  expect(await begin()).toMatchObject({ kind: "new" });
});

test("days of 0 begin nothing, and still go on with what is unfinished", async () => {
  const { begin } = setUp();
  expect(await begin({ BACKFILL_DAYS: "0" })).toEqual({ kind: "none", run: null });
});

test("a profile given on an unfinished run is a tune, recorded", async () => {
  const { begin, said } = setUp();
  await begin();
  const { run } = await begin({ BACKFILL_PROFILE: "fast" });
  expect(run).toMatchObject({ profile: "fast", throttle: { batchSize: 50, batchDelayMs: 500 } });
  expect(run?.tunes).toMatchObject([{ by: "resume", changes: { batchSize: { from: 5, to: 50 } } }]);
  expect(said.join("\n")).toContain("BACKFILL_BATCH_SIZE 5 -> 50");
});

test("issue 12.2: a restart with the settings of before leaves what was tuned since; one that is changed applies", async () => {
  const { begin, deps } = setUp();
  await begin({ BACKFILL_BATCH_SIZE: "10", BACKFILL_PROFILE: "moderate" });
  const settings = { BACKFILL_BATCH_SIZE: 3, BACKFILL_BATCH_DELAY_MS: 9000 };
  await control(deps, { action: "tune", settings });
  const same = await begin({ BACKFILL_BATCH_SIZE: "10", BACKFILL_PROFILE: "moderate" });
  expect(same.run?.throttle).toMatchObject({ batchSize: 3, batchDelayMs: 9000 });
  const unset = await begin({});
  expect(unset.run?.throttle).toMatchObject({ batchSize: 3, batchDelayMs: 9000 });
  const anew = await begin({ BACKFILL_BATCH_SIZE: "10" });
  expect(anew.run?.throttle).toMatchObject({ batchSize: 10, batchDelayMs: 9000 });
  expect(anew.run?.tunes.map(({ by }) => by)).toEqual(["tune", "resume"]);
});

test("other filters on an unfinished run stop the start, with both values and two ways out", async () => {
  const { begin, store } = setUp();
  const { run } = await begin({ BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
  const failure = begin({ BACKFILL_COLLECTIONS: "app.bsky.feed.like", RELAY_URL: "wss://other.example" });
  await expect(failure).rejects.toThrow(ConfigError);
  const error = await failure.catch((caught: unknown) => caught);
  const problems = error instanceof ConfigError ? error.problems : [];
  expect(problems).toHaveLength(2);
  expect(problems[1]).toContain("BACKFILL_COLLECTIONS is app.bsky.feed.like");
  expect(problems[1]).toContain("has app.bsky.feed.post");
  expect(problems[1]).toContain("unset BACKFILL_COLLECTIONS");
  expect(problems[1]).toContain("start --new");
  expect(await store.getRun(run?.runId ?? "")).toEqual(run);
});

test("an errored run is tried again, a paused one stays paused and says how to go on", async () => {
  const { begin, store, said } = setUp();
  const { run } = await begin();
  const runId = run?.runId ?? "";
  await store.transition(runId, ["enqueued"], "errored", { reason: "the host is silent" });
  expect((await begin()).run?.status).toBe("running");
  await store.transition(runId, ["running"], "paused", { reason: "paused by the operator" });
  expect((await begin()).run?.status).toBe("paused");
  expect(said.at(-1)).toContain("firehose-backfill resume");
});
