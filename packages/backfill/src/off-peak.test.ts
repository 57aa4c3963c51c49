import { parseConfig } from "@firehose-backfill/core/config/parse";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { expect, test } from "vitest";
import { control } from "./control.ts";
import type { ControlDeps } from "./control-deps.ts";
import { newRun } from "./new-run.ts";
import { keepOffPeak, ownThrottle, withOwn } from "./off-peak.ts";

const HOUR = 3_600_000;
const MORNING = Date.UTC(2026, 5, 1, 10);
const BACKGROUND = { batchSize: 5, batchDelayMs: 2_000, maxConcurrent: 2 };
const FAST = { batchSize: 50, batchDelayMs: 500, maxConcurrent: 10 };

async function setUp(settings: Record<string, string> = {}, limits: ControlDeps["limits"] = null) {
  const clock = new VirtualClock(MORNING);
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const config = parseConfig({ BACKFILL_OFF_PEAK: "22:00-06:00 Europe/Berlin fast", ...settings });
  const created = await store.createRun(newRun(config, { runId: "run", nowMs: MORNING }));
  await store.transition("run", ["enqueued"], "running", {});
  const lines: string[] = [];
  const deps = { store, clock, limits, offPeak: config.settings.offPeak, log: (line: string) => lines.push(line) };
  const theRun = async () => (await store.getRun("run")) ?? created;
  const tick = async (offPeak = deps.offPeak) => keepOffPeak({ ...deps, offPeak }, await theRun());
  const steering: ControlDeps = {
    store,
    queue,
    clock,
    random: Math.random,
    configure: (values) => parseConfig(values),
    limits,
    allowRelayFromEvent: false,
  };
  const tune = (values: Record<string, unknown>) => control(steering, { action: "tune", settings: values });
  return { clock, store, theRun, tick, tune, lines };
}

test("the clock changes the pace, records it, and brings the run's own back", async () => {
  const { clock, tick, lines } = await setUp({ BACKFILL_BATCH_SIZE: "7", BACKFILL_MAX_MEMORY_MB: "300" });
  const before = await tick();
  expect(before).toMatchObject({ profile: "background", offPeak: null, tunes: [] });
  await clock.advance(9 * HOUR + HOUR);
  const inside = await tick();
  expect(inside).toMatchObject({
    profile: "fast",
    throttle: { ...FAST, maxMemoryMb: 300, dbPoolSize: 2, useIdle: true },
    sources: { profile: "off-peak", batchSize: "off-peak", maxMemoryMb: "environment" },
    paceVersion: before.paceVersion + 1,
    plannedDueMs: clock.now(),
  });
  expect(inside.tunes).toEqual([
    {
      atMs: clock.now(),
      by: "off-peak",
      changes: {
        batchSize: { from: 7, to: 50 },
        batchDelayMs: { from: 2000, to: 500 },
        maxConcurrent: { from: 2, to: 10 },
      },
    },
  ]);
  expect(await tick()).toEqual(inside);
  await clock.advance(8 * HOUR);
  const after = await tick();
  expect(after).toMatchObject({
    profile: "background",
    throttle: before.throttle,
    sources: before.sources,
    offPeak: null,
    paceVersion: before.paceVersion + 2,
  });
  expect(after.sources).toEqual(before.sources);
  expect(lines).toEqual([
    "[BACKFILL] Off-peak, fast: 50 events every 500 ms",
    "[BACKFILL] Off-peak is over: 7 events every 2000 ms",
  ]);
});

test("what an operator tunes inside the window holds now and after it", async () => {
  const { clock, tick, tune, theRun } = await setUp();
  await clock.advance(12 * HOUR);
  await tick();
  await tune({ BACKFILL_BATCH_DELAY_MS: 4000 });
  expect((await theRun()).throttle).toMatchObject({ ...FAST, batchDelayMs: 4000 });
  // The clock does not take back what the operator said.
  expect((await tick()).throttle).toMatchObject({ ...FAST, batchDelayMs: 4000 });
  // The pace in force has it already; the run's own does not.
  await tune({ BACKFILL_BATCH_SIZE: 50 });
  await clock.advance(8 * HOUR);
  expect(await tick()).toMatchObject({
    throttle: { batchSize: 50, batchDelayMs: 4000, maxConcurrent: 2 },
    sources: { batchSize: "tune", batchDelayMs: "tune", maxConcurrent: "default" },
  });
});

test("a profile tuned inside the window is the run's own afterwards", async () => {
  const { clock, tick, tune } = await setUp();
  await clock.advance(12 * HOUR);
  await tick();
  await tune({ BACKFILL_PROFILE: "moderate" });
  expect((await tick()).throttle).toMatchObject({ batchSize: 20, batchDelayMs: 1000 });
  await clock.advance(8 * HOUR);
  expect(await tick()).toMatchObject({ profile: "moderate", throttle: { batchSize: 20, batchDelayMs: 1000 } });
});

test("a restart inside the window changes the run's own pace and leaves the window's", async () => {
  const { clock, store, tick, theRun } = await setUp();
  await clock.advance(12 * HOUR);
  const inside = await tick();
  const own = ownThrottle(inside);
  expect(own).toMatchObject({ profile: "background", throttle: BACKGROUND });
  const wanted = { profile: own.profile, throttle: { ...own.throttle, batchDelayMs: 3000, maxMemoryMb: 700 } };
  const sources = { batchDelayMs: "environment", maxMemoryMb: "environment" } as const;
  const record = { atMs: clock.now(), by: "resume", changes: {} } as const;
  await store.tune("run", { ...withOwn(inside, wanted, sources), record, nowMs: clock.now() });
  expect((await theRun()).throttle).toMatchObject({ ...FAST, maxMemoryMb: 700 });
  await clock.advance(8 * HOUR);
  expect(await tick()).toMatchObject({
    throttle: { ...BACKGROUND, batchDelayMs: 3000, maxMemoryMb: 700 },
    sources: { batchDelayMs: "environment", batchSize: "default" },
  });
});

test("a window that is taken away or changed while it is in force", async () => {
  const { clock, tick } = await setUp();
  await clock.advance(12 * HOUR);
  const { offPeak } = parseConfig({ BACKFILL_OFF_PEAK: "22:00-06:00 Europe/Berlin moderate" }).settings;
  await tick();
  expect(await tick(offPeak)).toMatchObject({ profile: "moderate", throttle: { batchSize: 20 } });
  expect(await tick(null)).toMatchObject({ profile: "background", throttle: BACKGROUND, offPeak: null });
});

test("is bounded by what is deployed, and leaves a run alone that is not going on", async () => {
  const { clock, store, tick } = await setUp({}, { maxConcurrent: 3, maxMemoryMb: 512 });
  await clock.advance(12 * HOUR);
  await store.transition("run", ["running"], "paused", {});
  expect((await tick()).throttle).toMatchObject(BACKGROUND);
  await store.transition("run", ["paused"], "running", {});
  expect((await tick()).throttle).toMatchObject({ ...FAST, maxConcurrent: 3 });
});
