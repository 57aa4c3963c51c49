import fc from "fast-check";
import { expect, test } from "vitest";
import { shareReadAhead, type Sharer } from "./share-read-ahead.ts";

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;

/** `inHours`: until what it reads next falls off; null: it does not. */
function sharer(runId: string, inHours: number | null, changes: Partial<Sharer> = {}): Sharer {
  return {
    run: {
      runId,
      createdAtMs: NOW,
      keptSinceMs: NOW - 72 * HOUR,
      readerCursor: { ordinal: 1, timeMs: NOW + ((inHours ?? 0) - 72) * HOUR, token: null },
      start: { kind: "oldest" },
    },
    isLasting: inHours === null,
    plannedEvents: 0,
    wantedEvents: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

const share = (sharers: readonly Sharer[], free: number) =>
  Object.fromEntries(shareReadAhead(sharers, free, { nowMs: NOW, batchSize: 5 }));

test("issue 14.3: what falls away goes before what stays, and what stays gets a little", () => {
  const { relay = 0, repos = 0 } = share([sharer("repos", null), sharer("relay", 10)], 340);
  expect(relay + repos).toBe(340);
  expect(repos).toBe(20);
});

test("issue 14.3: the one that is nearest to falling off goes first, and the others of its class are served as well", () => {
  const given = share([sharer("far", 60), sharer("near", 2), sharer("middle", 20)], 320);
  expect(given).toEqual({ near: 160, middle: 80, far: 80 });
  expect(share([sharer("far", 60), sharer("near", 2)], 5)).toEqual({ near: 5, far: 0 });
});

test("a run that has planned nothing is served before those that have", () => {
  expect(share([sharer("near", 2, { plannedEvents: 200 }), sharer("far", 60)], 50)).toEqual({ near: 0, far: 50 });
});

test("what a run does not want goes to the others", () => {
  expect(share([sharer("a", 2, { wantedEvents: 7 }), sharer("b", 60)], 100)).toEqual({ a: 7, b: 93 });
  expect(share([sharer("a", 2, { wantedEvents: 0 }), sharer("b", null)], 100)).toEqual({ a: 0, b: 100 });
  expect(share([sharer("a", 2, { wantedEvents: 3 })], 100)).toEqual({ a: 3 });
});

test("property: nothing is given twice, nobody gets more than he wants, and all is given while somebody wants it", () => {
  const one = fc.record({
    inHours: fc.option(fc.integer({ min: -5, max: 72 })),
    plannedEvents: fc.nat(500),
    wantedEvents: fc.oneof(fc.nat(300), fc.constant(Number.POSITIVE_INFINITY)),
  });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), fc.nat(5_000), (runs, free) => {
      const sharers = runs.map(({ inHours, ...its }, index) => sharer(`${index}`, inHours, its));
      const given = shareReadAhead(sharers, free, { nowMs: NOW, batchSize: 5 });
      let sum = 0;
      for (const { run, wantedEvents } of sharers) {
        const events = given.get(run.runId) ?? 0;
        expect(events).toBeGreaterThanOrEqual(0);
        expect(events).toBeLessThanOrEqual(wantedEvents);
        sum += events;
      }
      expect(sum).toBe(
        Math.min(
          free,
          runs.reduce((all, { wantedEvents }) => all + wantedEvents, 0),
        ),
      );
    }),
  );
});

test("property: nobody starves: whoever always wants more is served again and again", () => {
  const one = fc.record({ inHours: fc.option(fc.integer({ min: 0, max: 72 })) });
  fc.assert(
    fc.property(fc.array(one, { minLength: 2, maxLength: 20 }), (runs) => {
      const planned = runs.map(() => 0);
      const served = runs.map(() => 0);
      // Each round a batch of everybody's oldest is applied in turn, and what is free is given away again.
      for (let round = 0; round < 400; round += 1) {
        const given = shareReadAhead(
          runs.map(({ inHours }, index) => sharer(`${index}`, inHours, { plannedEvents: planned[index] ?? 0 })),
          300 - planned.reduce((all, events) => all + events, 0),
          { nowMs: NOW, batchSize: 5 },
        );
        for (const index of runs.keys()) planned[index] = (planned[index] ?? 0) + (given.get(`${index}`) ?? 0);
        const all = planned.reduce((sum, events) => sum + events, 0);
        for (const index of runs.keys()) {
          const applied = ((planned[index] ?? 0) * 150) / all;
          planned[index] = (planned[index] ?? 0) - applied;
          served[index] = (served[index] ?? 0) + applied;
        }
      }
      for (const events of served) expect(events).toBeGreaterThan(0);
    }),
    { numRuns: 20 },
  );
});
