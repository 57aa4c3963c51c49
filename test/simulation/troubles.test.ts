/** The figures that alarms are made of, over the course of a trouble: they rise above the threshold, and only in a trouble. */
import { outstandingOf } from "@firehose-backfill/backfill/advance-applied";
import { secondsOverdue, secondsWaiting } from "@firehose-backfill/backfill/trouble";
import { expect, test } from "vitest";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
/** As infra/alarms.ts has them, which test/infra checks. */
const WAITING_ALARM = 900;
const OLDEST_DUE_ALARM = 1_200;

/** The highest figure of each kind that a tick a minute would have told. */
async function watch(simulation: Simulation, minutes: number) {
  const { store, clock } = simulation;
  const most = { waiting: 0, overdue: 0 };
  for (let minute = 0; minute < minutes; minute += 1) {
    await simulation.pass(MINUTE);
    const run = await simulation.run();
    const outstanding = outstandingOf(await store.openWindows(run, 500));
    most.waiting = Math.max(most.waiting, secondsWaiting(run, clock.now()));
    most.overdue = Math.max(most.overdue, secondsOverdue(run, outstanding, clock.now()));
  }
  return most;
}

test.each(["background", "moderate", "fast"])(
  "issue 12.6: a %s run in good order is never near an alarm",
  async (profile) => {
    const simulation = await simulate({ settings: { BACKFILL_PROFILE: profile }, order: "random" });
    const most = await watch(simulation, 60);
    expect(most.waiting).toBe(0);
    expect(most.overdue).toBeLessThan(60);
    await simulation.stop();
  },
);

test("issue 12.6: nor is one that backs off as far as it can", async () => {
  const simulation = await simulate({ settings: { BACKFILL_PROFILE: "moderate" }, latencyMs: 10 });
  const { clock, database } = simulation;
  await simulation.pass(5 * MINUTE);
  const untilMs = clock.now() + MINUTE;
  for (let atMs = clock.now(); atMs < untilMs; atMs += 300) database.stall(atMs, atMs + 290);
  const most = await watch(simulation, 30);
  expect(most.overdue).toBeLessThan(OLDEST_DUE_ALARM);
  await simulation.stop();
});

test("issue 12.6: the database is down: `waiting` speaks within 20 minutes, and is silent when it is back", async () => {
  const simulation = await simulate({ settings: {} });
  await simulation.pass(5 * MINUTE);
  const { clock, database } = simulation;
  database.down(clock.now(), clock.now() + 20 * MINUTE);
  expect((await watch(simulation, 18)).waiting).toBeGreaterThan(WAITING_ALARM);
  await simulation.pass(20 * MINUTE);
  const after = await watch(simulation, 20);
  expect(after.waiting).toBe(0);
  expect(after.overdue).toBeLessThan(OLDEST_DUE_ALARM);
  await simulation.stop();
});

test("issue 12.6: nobody applies anything: `oldest-due` speaks within half an hour", async () => {
  const simulation = await simulate({ settings: {} });
  await simulation.pass(5 * MINUTE);
  simulation.holdConsumers = true;
  expect((await watch(simulation, 30)).overdue).toBeGreaterThan(OLDEST_DUE_ALARM);
  await simulation.store.transition("simulated", ["running"], "paused", { pausedNow: true });
  expect((await watch(simulation, 2)).overdue).toBe(0);
  await simulation.stop();
});
