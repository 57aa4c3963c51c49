/** An open run and the deploys that come while it is: what was deployed anew applies, once; what an operator tuned stays. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import { control } from "./control.ts";
import type { ControlDeps } from "./control-deps.ts";
import { parseControlEvent } from "./control-event.ts";
import { followSettings } from "./follow-settings.ts";
import { newRun } from "./new-run.ts";
import { keepOffPeak } from "./off-peak.ts";

type Env = Readonly<Record<string, string>>;
const RELAY = { RELAY_URL: "wss://relay.example" };

/** A stage: what is deployed, and the run that its reader began. `deploy` is a deploy and the tick after it. */
async function setUp(first: Env, options: { event?: object; withoutSeen?: boolean } = {}) {
  const clock = new VirtualClock();
  const store: CheckpointStore = createMemoryStore();
  const said: string[] = [];
  let config = parseConfig({ ...RELAY, ...first });
  const controlDeps = (): ControlDeps => ({
    store,
    queue: createMemoryQueue({ clock, random: () => 0.5 }),
    clock,
    random: () => 0.5,
    configure: (values) => parseConfig({ ...RELAY, ...first }, { overrides: [{ source: "event", values }] }),
    limits: limits(),
    allowRelayFromEvent: false,
  });
  const limits = () => ({ maxConcurrent: config.settings.maxConcurrent, maxMemoryMb: config.settings.maxMemoryMb });
  const ask = (event: object) => control(controlDeps(), parseControlEvent(event));
  if (options.event !== undefined) await ask({ action: "start", ...options.event });
  else {
    const run = newRun(config, { runId: "run", nowMs: clock.now() });
    const { seen: _, ...older } = run;
    await store.createRun(options.withoutSeen === true ? older : run);
  }
  const run = async (): Promise<Run> => {
    const current = await store.currentRun();
    if (current === null) throw new Error("no run");
    return current;
  };
  await store.transition((await run()).runId, ["enqueued"], "running", {});
  const tick = async () => {
    await clock.advance(60_000);
    const deps = { store, clock, log: (line: string) => said.push(line), limits: limits() };
    const followed = await followSettings(deps, await run(), config);
    await keepOffPeak({ ...deps, offPeak: config.settings.offPeak }, followed);
    return run();
  };
  const deploy = (env: Env) => {
    config = parseConfig({ ...RELAY, ...env });
    return tick();
  };
  return { clock, store, said, ask, run, tick, deploy };
}

test("issue 12.2: a throttle setting that is deployed anew applies at the next tick, once, as a recorded tune", async () => {
  const { deploy, tick, said } = await setUp({ BACKFILL_BATCH_DELAY_MS: "2000" });
  const run = await deploy({ BACKFILL_BATCH_DELAY_MS: "4000" });
  expect(run.throttle).toMatchObject({ batchDelayMs: 4000, batchSize: 5 });
  expect(run.sources.batchDelayMs).toBe("environment");
  expect(run.tunes).toMatchObject([{ by: "deploy", changes: { batchDelayMs: { from: 2000, to: 4000 } } }]);
  expect(said.join()).toContain("BACKFILL_BATCH_DELAY_MS 2000 -> 4000");
  expect(await tick()).toEqual(run);
});

test("issue 12.2: what an operator tuned is undone by no tick and by no deploy that says what it said before", async () => {
  const { ask, tick, deploy } = await setUp({ BACKFILL_PROFILE: "moderate", BACKFILL_BATCH_SIZE: "30" });
  await ask({ action: "tune", settings: { BACKFILL_BATCH_SIZE: 7, BACKFILL_BATCH_DELAY_MS: 9000 } });
  expect((await tick()).throttle).toMatchObject({ batchSize: 7, batchDelayMs: 9000 });
  const again = await deploy({ BACKFILL_PROFILE: "moderate", BACKFILL_BATCH_SIZE: "30" });
  expect(again.throttle).toMatchObject({ batchSize: 7, batchDelayMs: 9000 });
  // Another setting is deployed: it alone applies.
  const other = await deploy({ BACKFILL_PROFILE: "moderate", BACKFILL_BATCH_SIZE: "30", BACKFILL_USE_IDLE: "false" });
  expect(other.throttle).toMatchObject({ batchSize: 7, batchDelayMs: 9000, useIdle: false });
  // The tuned one is deployed with a new value: the later word.
  const newer = await deploy({ BACKFILL_PROFILE: "moderate", BACKFILL_BATCH_SIZE: "31", BACKFILL_USE_IDLE: "false" });
  expect(newer.throttle).toMatchObject({ batchSize: 31, batchDelayMs: 9000 });
});

test("issue 12.2: what is unset leaves the run as it is; set again, it is new", async () => {
  const { deploy, ask } = await setUp({ BACKFILL_BATCH_SIZE: "10" });
  expect((await deploy({})).throttle.batchSize).toBe(10);
  await ask({ action: "tune", settings: { BACKFILL_BATCH_SIZE: 20 } });
  expect((await deploy({ BACKFILL_BATCH_SIZE: "10" })).throttle.batchSize).toBe(10);
});

test("issue 12.2: what a start event asked for is not undone by the settings that were deployed then", async () => {
  const { tick, deploy } = await setUp(
    { BACKFILL_BATCH_SIZE: "5", BACKFILL_COLLECTIONS: "app.bsky.feed.post" },
    { event: { settings: { BACKFILL_BATCH_SIZE: 50 }, collections: ["app.bsky.feed.like"] } },
  );
  const run = await tick();
  expect(run.throttle.batchSize).toBe(50);
  expect(run.tunes).toEqual([]);
  expect(
    (await deploy({ BACKFILL_BATCH_SIZE: "6", BACKFILL_COLLECTIONS: "app.bsky.feed.post" })).throttle.batchSize,
  ).toBe(6);
});

test("issue 12.2: a new profile gives its whole pace, and is the run's profile", async () => {
  const { deploy } = await setUp({ BACKFILL_PROFILE: "background" });
  const run = await deploy({ BACKFILL_PROFILE: "fast" });
  expect(run).toMatchObject({ profile: "fast", throttle: { batchSize: 50, batchDelayMs: 500 } });
  expect(run.sources.profile).toBe("environment");
});

test("issue 12.2: lower limits are deployed: concurrency and memory are clamped to it, given or not, and so is an off-peak pace", async () => {
  const all = {
    BACKFILL_MAX_CONCURRENT: "10",
    BACKFILL_MAX_MEMORY_MB: "2048",
    BACKFILL_OFF_PEAK: "00:00-23:59 UTC fast",
  };
  const { deploy, tick } = await setUp(all);
  expect((await tick()).throttle).toMatchObject({ maxConcurrent: 10, maxMemoryMb: 2048, batchSize: 50 });
  const run = await deploy({ BACKFILL_OFF_PEAK: "00:00-23:59 UTC fast" });
  expect(run.throttle).toMatchObject({ maxConcurrent: 2, maxMemoryMb: 512, batchSize: 50 });
  expect(run.offPeak?.own.maxConcurrent).toBe(2);
  expect(await tick()).toEqual(run);
});

test("issue 12.2: inside the off-peak window a deployed pace waits until the window ends", async () => {
  const offPeak = { BACKFILL_OFF_PEAK: "00:00-23:59 UTC moderate", BACKFILL_MAX_CONCURRENT: "5" };
  const { deploy, tick } = await setUp({ ...offPeak, BACKFILL_BATCH_SIZE: "5" });
  expect((await tick()).throttle.batchSize).toBe(20);
  const run = await deploy({ ...offPeak, BACKFILL_BATCH_SIZE: "8" });
  expect(run.throttle.batchSize).toBe(20);
  expect(run.offPeak?.own.batchSize).toBe(8);
  const outside = await deploy({ BACKFILL_MAX_CONCURRENT: "5", BACKFILL_BATCH_SIZE: "8" });
  expect(outside).toMatchObject({ offPeak: null, throttle: { batchSize: 8 } });
});

test("issue 12.2: a scope that differs is said once, with both values and the way out; the run goes on with its own", async () => {
  const { deploy, tick, store, said } = await setUp({ BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
  const run = await deploy({ BACKFILL_COLLECTIONS: "app.bsky.feed.like", BACKFILL_DAYS: "7" });
  expect(run.status).toBe("running");
  await tick();
  const [error, ...others] = await store.listErrors(run.runId);
  expect(others).toEqual([]);
  expect(error).toMatchObject({ kind: "settings", times: 1 });
  expect(error?.message).toContain("BACKFILL_COLLECTIONS is app.bsky.feed.like, the run has app.bsky.feed.post");
  expect(error?.message).toContain("BACKFILL_DAYS is 7, the run has 1");
  expect(error?.message).toContain("start --new");
  expect(said).toHaveLength(1);
  expect((await store.getScope(run.runId))?.collections).toEqual(["app.bsky.feed.post"]);
});

test("issue 12.2: of a run that an older program began, the tuned stays and the rest follows", async () => {
  const { ask, deploy } = await setUp({ BACKFILL_BATCH_SIZE: "5" }, { withoutSeen: true });
  await ask({ action: "tune", settings: { BACKFILL_BATCH_SIZE: 9 } });
  const run = await deploy({ BACKFILL_BATCH_SIZE: "6", BACKFILL_BATCH_DELAY_MS: "3000" });
  expect(run.throttle).toMatchObject({ batchSize: 9, batchDelayMs: 3000 });
  expect((await deploy({ BACKFILL_BATCH_SIZE: "7", BACKFILL_BATCH_DELAY_MS: "3000" })).throttle.batchSize).toBe(7);
});

test("issue 12.2: a paused run follows when it goes on", async () => {
  const { deploy, tick, store } = await setUp({ BACKFILL_BATCH_SIZE: "5" });
  await store.transition("run", ["running"], "paused", {});
  expect((await deploy({ BACKFILL_BATCH_SIZE: "6" })).throttle.batchSize).toBe(5);
  await store.transition("run", ["paused"], "running", {});
  expect((await tick()).throttle.batchSize).toBe(6);
});
