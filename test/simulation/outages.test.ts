/** The database is gone for an hour and for half a day: nobody has to do anything, nothing is counted, and then it goes on at the pace. */
import { expect, test } from "vitest";
import { spread } from "@firehose-backfill/testing/long";
import { measurePace } from "./pace-of.ts";
import { simulate } from "./simulate.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const BACKGROUND = { profile: "background", rate: 2.5, batch: 5 };
const FAST = { profile: "fast", rate: 100, batch: 50 };
const OUTAGES = [
  { hours: 1, ...BACKGROUND },
  { hours: 12, ...BACKGROUND },
  { hours: 1, ...FAST },
  { hours: 12, ...FAST },
];

test.each(spread(OUTAGES, OUTAGES.slice(1, 3)))(
  "the database is down for $hours h at the $profile profile",
  async ({ hours, profile, rate, batch }) => {
    const simulation = await simulate({ settings: { BACKFILL_PROFILE: profile } });
    const { queue, database, clock } = simulation;
    const hidden: { readonly atMs: number; readonly seconds: number }[] = [];
    const hide = queue.hide.bind(queue);
    queue.hide = (receiptHandle, seconds) => {
      hidden.push({ atMs: clock.now(), seconds });
      return hide(receiptHandle, seconds);
    };
    await simulation.pass(5 * MINUTE);

    const downMs = clock.now();
    const upMs = downMs + hours * HOUR;
    database.down(downMs, upMs);
    // What is in hand and what is due meets the outage within a tick or two.
    await simulation.pass(2 * MINUTE);
    const planned = await simulation.run();
    expect(planned).toMatchObject({ status: "running", waiting: { for: "database" } });
    await simulation.pass(upMs - clock.now());
    const waited = await simulation.run();
    // The reader has planned nothing meanwhile, and nothing has been given up.
    expect(waited).toMatchObject({
      waiting: { for: "database" },
      generation: planned.generation,
      registered: planned.registered,
      readerCursor: planned.readerCursor,
      totals: { dead: 0 },
    });
    expect(await queue.figures()).toMatchObject({ deadLetters: 0 });
    // 30 s, 60 s, ... and then a quarter of an hour at a time; in between a batch that is late takes a new slot.
    const waits = hidden.filter(({ atMs }) => atMs >= downMs).map(({ seconds }) => seconds);
    expect(waits).toEqual(expect.arrayContaining([30, 60, 120, 240, 480, 900]));
    expect(Math.max(...waits)).toBe(900);
    const outstanding = (await simulation.store.openWindows(waited, 500)).flatMap(({ entries }) =>
      entries.filter(({ outcome }) => outcome === null),
    );
    expect(outstanding.length).toBeGreaterThan(0);
    expect(new Set(outstanding.map(({ attempts }) => attempts))).toEqual(new Set([0]));

    await simulation.pass(45 * MINUTE);
    const after = await simulation.run();
    expect(after).toMatchObject({ status: "running", waiting: null, generation: planned.generation, backOff: 1 });
    expect(after.totals.dead).toBe(0);
    expect(simulation.results.filter(({ kind }) => kind === "dead-lettered")).toEqual([]);
    const whole = measurePace(database.applied, simulation.startMs, clock.now());
    const recent = measurePace(database.applied, clock.now() - 5 * MINUTE, clock.now());
    expect(whole.most60).toBeLessThanOrEqual(1.05 * 60 * rate + batch);
    expect(recent.ratePerSecond / rate).toBeGreaterThan(0.98);
    expect(recent.ratePerSecond / rate).toBeLessThan(1.02);
    await simulation.stop();
  },
);

test("no lock is free for half an hour: nothing is counted as an attempt, and nothing is given up", async () => {
  const simulation = await simulate({ settings: { BACKFILL_PROFILE: "moderate" } });
  const { database } = simulation;
  await simulation.pass(2 * MINUTE);
  const apply = database.apply.bind(database);
  let refused = 0;
  database.apply = () => {
    refused += 1;
    return Promise.resolve({ kind: "busy" });
  };
  await simulation.pass(30 * MINUTE);
  database.apply = apply;
  expect(refused).toBeGreaterThan(100);
  await simulation.pass(20 * MINUTE);
  expect(await simulation.queue.figures()).toMatchObject({ deadLetters: 0 });
  const run = await simulation.run();
  expect(run.totals.dead).toBe(0);
  expect(run.totals.processed).toBeGreaterThan(20 * 15 * 60);
  await simulation.stop();
});
