/** Several processes move a pace out of a run item at the same time, and each may crash at any step. */
import { describe, expect, test } from "vitest";
import { aRun, NOW, RUN, theRun } from "@firehose-backfill/testing/checkpoint/harness";
import { inSteps } from "@firehose-backfill/testing/checkpoint/faulty-tables";
import { createTurns, randomOf } from "@firehose-backfill/testing/checkpoint/turns";
import { createStore } from "../create-store.ts";
import { DEFAULT_PACE_ID } from "../pace.ts";
import { newRunValue } from "../run-values.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import type { Table } from "../table/table.ts";
import { itemOf } from "./attributes.ts";
import { paceKey, POINTER_KEY, runKey } from "./keys.ts";
import { paceAttributes } from "./pace-item.ts";
import { attributesOf } from "./run-item.ts";

const DATABASE = { id: "an-id", name: "db.example/postgres" };

/** A run as a program of version 1 leaves it: slots are reserved, and its pace is in the run item. */
async function aTableOfBefore(runId: string, changes: Parameters<typeof aRun>[0] = {}): Promise<Table> {
  const table = createMemoryTable();
  const run = { ...newRunValue(aRun({ ...changes, runId })), plannedDueMs: NOW + 5_000, paceVersion: 4 };
  const { paceId: _later, ...attributes } = { ...attributesOf(run), ...paceAttributes(run) };
  await table.put(runKey(runId), { ...itemOf(attributes), v: 1 });
  await table.put(POINTER_KEY, { runId, open: true, v: 1 });
  return table;
}

describe("the pace of an older program's run", () => {
  test("is read where it is, and reading changes nothing", async () => {
    const table = await aTableOfBefore(RUN);
    const before = await table.get(runKey(RUN));
    expect(await theRun(createStore(table))).toMatchObject({ paceId: DEFAULT_PACE_ID, plannedDueMs: NOW + 5_000 });
    expect(await table.get(runKey(RUN))).toEqual(before);
    expect(await table.get(paceKey(DEFAULT_PACE_ID))).toBeNull();
  });

  test("becomes the pace of the database that the run is bound to, and stays it", async () => {
    const table = await aTableOfBefore(RUN, { database: DATABASE });
    const store = createStore(table);
    expect(await theRun(store)).toMatchObject({ paceId: "an-id" });
    await store.setWaiting("an-id", { for: "database", sinceMs: NOW });
    expect(await theRun(createStore(table))).toMatchObject({ paceId: "an-id", waiting: { for: "database" } });
  });

  test("of a run that began before its database was known stays the same once it is", async () => {
    const store = createStore(createMemoryTable());
    await store.createRun(aRun());
    await store.bindDatabase(RUN, DATABASE);
    expect(await theRun(store)).toMatchObject({ paceId: DEFAULT_PACE_ID, database: DATABASE });
  });

  test("does not replace the pace of the run that came after it", async () => {
    const table = await aTableOfBefore("old");
    const slow = createStore(table);
    await theRun(slow, "old");
    const store = createStore(table);
    await store.transition("old", ["running"], "cancelled", { finishedAtMs: NOW });
    await store.createRun(aRun({ createdAtMs: NOW + 7 }));
    const now = await theRun(store);
    // This process read the old run before all of this, and writes only now.
    await slow.addMemoryPause(DEFAULT_PACE_ID, NOW + 8);
    expect(await theRun(store)).toEqual({ ...now, memoryPauses: 1, lastMemoryPauseAtMs: NOW + 8 });
  });

  test("gives each slot to one, whoever carries it over and wherever others end", async () => {
    let carried = 0;
    for (let seed = 0; seed < 200; seed += 1) {
      const random = randomOf(seed);
      const turns = createTurns(random);
      const table = await aTableOfBefore(RUN);
      const dues: number[] = [];
      for (let actor = 0; actor < 4; actor += 1)
        turns.start(async () => {
          const store = createStore(
            inSteps(table, async (work) =>
              turns.step(async () => {
                // A process crashes at about every fifth step; the others finish.
                if (actor === 0 && random() < 0.2) throw new Error("it ended");
                return work();
              }),
            ),
          );
          try {
            await theRun(store);
            for (let slot = 0; slot < 2; slot += 1) {
              const { dueMs, paceVersion } = await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 100, nowMs: NOW });
              expect(paceVersion).toBe(4);
              dues.push(dueMs);
            }
          } catch (error) {
            if (actor !== 0) throw error;
          }
        });
      await turns.run(async () => undefined);
      const sorted = dues.toSorted((a, b) => a - b);
      expect(sorted[0]).toBeGreaterThanOrEqual(NOW + 5_000);
      expect(new Set(sorted).size).toBe(sorted.length);
      expect(sorted.length).toBeGreaterThanOrEqual(6);
      const item = await table.get(runKey(RUN));
      if (item !== null && !("plannedDueMs" in item)) carried += 1;
    }
    expect(carried).toBe(200);
  });
});

test("a run and its pace are read with one request, also where the pace is another one than the last", async () => {
  const names: string[] = [];
  const table = createMemoryTable();
  const counted = inSteps(table, (work) => {
    names.push("call");
    return work();
  });
  await createStore(table).createRun(aRun({ database: DATABASE }));
  const store = createStore(counted);
  await theRun(store);
  expect(names.splice(0)).toHaveLength(2);
  for (let times = 0; times < 3; times += 1) await theRun(store);
  expect(names).toHaveLength(3);
});

describe("issue 14.5: requests", () => {
  const counted = (names: string[], of: Table) =>
    inSteps(of, (work) => {
      names.push("call");
      return work();
    });

  test("reading takes one request if no run is open, before the first run and after the last", async () => {
    const names: string[] = [];
    const table = createMemoryTable();
    const store = createStore(counted(names, table));
    for (let times = 0; times < 3; times += 1) expect(await store.openRuns()).toEqual([]);
    expect(names.splice(0)).toHaveLength(3);
    await store.createRun(aRun());
    await store.transition(RUN, ["running"], "cancelled", {});
    names.splice(0);
    expect(await store.openRuns()).toEqual([]);
    expect(names).toHaveLength(1);
  });

  test("reading 20 open runs with one pace takes two requests, like reading one", async () => {
    const names: string[] = [];
    const store = createStore(counted(names, createMemoryTable()));
    for (let run = 1; run <= 20; run += 1) {
      await store.createRun(aRun({ runId: `run-${run}`, about: `${run}` }));
      if (run > 1 && run < 20) continue;
      names.splice(0);
      expect(await store.openRuns()).toHaveLength(run);
      expect(names).toHaveLength(2);
    }
  });
});
