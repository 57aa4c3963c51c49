/** Tests random histories: readers, consumers and redrives in any order. Each may crash at any step. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Harness, RUN, theRun } from "./harness.ts";
import { randomOf } from "./turns.ts";
import { consume, hurry, loseMessages, passesFilter, redrive, STREAM_END, tick, World } from "./world.ts";

const KEPT = Array.from({ length: STREAM_END }, (_, index) => index + 1).filter(passesFilter);

const TIMEOUT_MS = 120_000;

export function describeSchedules({ openShared, histories, looksEvery }: Harness): void {
  test(
    "whatever happens in whatever order, nothing is lost and every event is counted once",
    async () => {
      let crashes = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            seed: fc.integer(),
            readers: fc.integer({ min: 1, max: 3 }),
            consumers: fc.integer({ min: 1, max: 3 }),
            crashRate: fc.constantFrom(0, 0.02, 0.1),
          }),
          async ({ seed, readers, consumers, crashRate }) => {
            const world = new World(await openShared(), { random: randomOf(seed), crashRate });
            await world.begin();
            for (let reader = 0; reader < readers; reader += 1)
              world.process(6, (store, name) => tick(world, store, name));
            for (let consumer = 0; consumer < consumers; consumer += 1)
              world.process(10, (store) => consume(world, store));
            world.process(3, (store) => redrive(world, store));
            world.process(4, (store) => hurry(world, store));
            let steps = 0;
            await world.turns.run(async () => {
              if (steps % looksEvery === 0) await world.observe();
              steps += 1;
            });
            crashes += crashRate > 0 ? 1 : 0;

            world.calm();
            await readToTheEnd(world);
            const atRest = await theRun(world.store);
            const { received, processed, dead, skipped } = atRest.totals;
            expect({ received, skipped: skipped["collection"], sum: processed + dead }).toEqual({
              received: STREAM_END,
              skipped: STREAM_END - KEPT.length,
              sum: KEPT.length,
            });

            expect(await world.store.transition(RUN, ["running"], "succeeded", {})).not.toBeNull();
            await redriveAll(world);
            expect((await theRun(world.store)).totals).toMatchObject({
              received: STREAM_END,
              processed: KEPT.length,
              dead: 0,
            });
            expect(KEPT.filter((event) => !world.applied.has(event))).toEqual([]);
          },
        ),
        {
          numRuns: histories,
          endOnFailure: true,
          // With few histories it could happen that no process crashes.
          examples: [[{ seed: 1, readers: 2, consumers: 2, crashRate: 0.1 }]],
        },
      );
      expect(crashes).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
}

/** A reader and a consumer without faults work until everything is read, applied and counted. */
async function readToTheEnd(world: World): Promise<void> {
  const { store } = world;
  for (let round = 0; round < 100; round += 1) {
    world.nowMs += 1000;
    await tick(world, store, world.newName("reader"));
    while (world.queue.length > 0) await consume(world, store);
    const run = await theRun(store);
    const isAllApplied = run.appliedWindow === run.registered;
    if (isAllApplied && run.readerCursor?.ordinal === STREAM_END) return;
    // There are no messages, but batches are still outstanding at the second check, so their messages are lost.
    if (!isAllApplied && round % 2 === 1) await loseMessages(world, store, run);
    await world.observe();
  }
  throw new Error("the run does not come to its end");
}

async function redriveAll(world: World): Promise<void> {
  while (world.deadLetters.length > 0) {
    world.queue.push(...world.deadLetters.splice(0).map((message) => ({ ...message, isRedriven: true })));
    while (world.queue.length > 0) await consume(world, world.store);
  }
}
