/**
 * Any message may come twice, late, or out of order: the tables end up as after delivery in order. And what runs at
 * once never exceeds the run's limit, and never deadlocks.
 */
import { systemClock } from "@firehose-backfill/core/clock";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import { accountRow, clearTables, recordRow, request } from "@firehose-backfill/testing/sink/rows";
import { delivery, history, liveInOrder } from "@firehose-backfill/testing/sink/histories";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { SinkRow } from "@firehose-backfill/sink/rows";

const at = useSink({ poolSize: 8 });

const clear = () => clearTables(at.sink);

/** The content of the tables without values of the wall clock. */
async function tables(): Promise<unknown> {
  const columns =
    "did, handle, handle_at, handle_seq, active, status, status_at, status_seq, purged_at, purged_seq, rev";
  // All but which transaction wrote it.
  const record = "did, collection, rkey, cid, rev, seq, record, indexed_at, host";
  const statements = [
    { sql: `SELECT ${record} FROM firehose.records ORDER BY did, collection, rkey` },
    { sql: `SELECT ${columns} FROM firehose.repos ORDER BY did` },
    { sql: "SELECT did, rkey, cid FROM firehose.live_records ORDER BY did, collection, rkey" },
  ];
  return at.sink.database.use(statements, async (_session, results) => results.map(({ rows }) => rows));
}

/** Batches one after the other, as they are given. */
async function applyAll(batches: readonly (readonly SinkRow[])[]): Promise<void> {
  for (const rows of batches) {
    const result = await at.sink.apply(...request(rows));
    if (result.kind !== "applied") throw new Error(result.kind);
    const { applied, stale, dead } = result.counts;
    expect(applied + (stale ?? 0) + dead).toBe(rows.length);
  }
}

describe("the order of delivery does not matter", () => {
  test("in order, the view shows what lives", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (rows) => {
        await clear();
        await applyAll(rows.map((row) => [row]));
        const live = await at.sink.database.use(
          [{ sql: "SELECT did, rkey FROM firehose.live_records ORDER BY did, rkey" }],
          async (_session, [result]) => result?.rows.map(([did, rkey]) => `${did} ${rkey}`),
        );
        expect(live).toEqual(liveInOrder(rows));
      }),
      { numRuns: 25 },
    );
  });

  test("shuffled, doubled, in batches of any size: the same tables", async () => {
    const both = history.chain((rows) => fc.tuple(fc.constant(rows), delivery(rows)));
    await fc.assert(
      fc.asyncProperty(both, async ([rows, batches]) => {
        await clear();
        await applyAll(rows.map((row) => [row]));
        const expected = await tables();
        await clear();
        await applyAll(batches);
        expect(await tables()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test("at the same time, over several connections: the same tables", async () => {
    const both = history.chain((rows) => fc.tuple(fc.constant(rows), delivery(rows)));
    await fc.assert(
      fc.asyncProperty(both, async ([rows, batches]) => {
        await clear();
        await applyAll(rows.map((row) => [row]));
        const expected = await tables();
        await clear();
        await Promise.all(batches.map((batch) => at.sink.apply(...request(batch, { lock: { maxConcurrent: 100 } }))));
        expect(await tables()).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

test("batches that overlap in every way never deadlock", async () => {
  let state = 7;
  const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  const row = (n: number): SinkRow => {
    const did = `did:plc:${next(6)}`;
    if (next(10) === 0) return accountRow(n, { did, active: false, status: "deleted" });
    // Some rows are refused by the database, because bisecting takes its locks step by step.
    return recordRow(n, { did, rkey: `r${next(8)}`, ...(next(60) === 0 ? { json: "?" } : {}) });
  };
  const batches = Array.from({ length: 80 }, (_, b) => Array.from({ length: 15 }, (_unused, i) => row(b * 15 + i)));
  const before = await deadlocks();
  const results = await Promise.all(
    batches.map((rows) => at.sink.apply(...request(rows, { lock: { maxConcurrent: 100 } }))),
  );
  expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(["applied"]));
  expect(await deadlocks()).toBe(before);
});

async function deadlocks(): Promise<number> {
  const statement = { sql: "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()" };
  return at.sink.database.use([statement], async (_session, [result]) => Number(result?.rows[0]?.[0]));
}

test.each([1, 3])("with a limit of %i no more than that many batches hold a lock at once", async (maxConcurrent) => {
  await using observer = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
  const batches = Array.from({ length: 60 }, (_, n) => [recordRow(n, { did: `did:plc:${n}` })]);
  const done = Promise.all(batches.map((rows) => untilApplied(rows, maxConcurrent))).then(() => true);
  let most = 0;
  let looks = 0;
  const look = { sql: "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted" };
  while (!(await Promise.race([done, Promise.resolve(false)]))) {
    const held = await observer.use([look], async (_session, [result]) => Number(result?.rows[0]?.[0]));
    most = Math.max(most, held);
    looks += 1;
  }
  expect(looks).toBeGreaterThan(5);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(maxConcurrent);
});

/** Applies as a consumer does: after `busy` it tries again a little later. */
async function untilApplied(rows: readonly SinkRow[], maxConcurrent: number): Promise<void> {
  for (;;) {
    const { kind } = await at.sink.apply(...request(rows, { lock: { maxConcurrent } }));
    if (kind === "applied") return;
    expect(kind).toBe("busy");
    await systemClock.sleep(Math.random() * 10);
  }
}
