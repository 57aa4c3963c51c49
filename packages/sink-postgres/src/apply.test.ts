/** A batch's transaction: its lock, rows that other transactions hold, and other databases. */
import { describe, expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import {
  applyTo,
  createDatabase,
  query,
  recordRow,
  request,
  SERVERS,
  sqlOn,
  testSink,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { SlotLock } from "@firehose-backfill/sink/slot-lock";

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 4 });

  const sql = (text: string) => sqlOn(at.sink, text);
  const apply = (...rows: SinkRow[]) => applyTo(at.sink, rows);

  describe("the lock of a run", () => {
    test("no lock is free: the batch is busy, and nothing is written", async () => {
      await withBatchInHand({ maxConcurrent: 1 }, async () => {
        expect(await at.sink.apply(...request([recordRow(2)], { lock: { maxConcurrent: 1 } }))).toEqual({
          kind: "busy",
        });
      });
      expect(await apply(recordRow(2))).toMatchObject({ applied: 1 });
    });

    test("another run's is another one", async () => {
      await withBatchInHand({ maxConcurrent: 1 }, async () => {
        const other = request([recordRow(2)], { lock: { maxConcurrent: 1, name: "run-2" } });
        expect(await at.sink.apply(...other)).toMatchObject({ kind: "applied" });
      });
    });

    test("late once it is held: nothing is written, and the lock is free again", async () => {
      const late = request([recordRow(1)], { lock: { maxConcurrent: 1, isOnTime: () => false } });
      expect(await at.sink.apply(...late)).toEqual({ kind: "late" });
      expect(await sql("SELECT count(*) FROM firehose.repos")).toEqual([["0"]]);
      expect(await at.sink.apply(...request([recordRow(1)], { lock: { maxConcurrent: 1 } }))).toMatchObject({
        kind: "applied",
      });
    });

    test("a frozen process gives it back, and what it then sends is the service's error", async () => {
      await using frozen = testSink(at.databaseUrl, { timeouts: { idleInTransactionMs: 100 } });
      const blocked = request([recordRow(1)], { lock: { maxConcurrent: 1, isOnTime: () => freeze(300) } });
      await expect(frozen.apply(...blocked)).rejects.toMatchObject({ name: "SinkError", kind: "service" });
      expect(await at.sink.apply(...request([recordRow(1)], { lock: { maxConcurrent: 1 } }))).toMatchObject({
        kind: "applied",
      });
    });

    /** Runs `meanwhile` while another batch holds a lock of run-1 in its transaction. */
    async function withBatchInHand(fields: Partial<SlotLock>, meanwhile: () => Promise<void>): Promise<void> {
      await using holder = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
      const { maxConcurrent = 1 } = fields;
      const lock = `SELECT pg_try_advisory_xact_lock(hashtext('firehose-backfill:run-1'), ${maxConcurrent - 1})`;
      await holder.use([{ sql: "BEGIN" }, { sql: lock }], async (session) => {
        await meanwhile();
        await session.run([{ sql: "ROLLBACK" }]);
      });
    }
  });

  test("a row that another transaction holds is waited for, then tried again, at most five times", async () => {
    await apply(recordRow(1));
    const sleeps: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
    await using impatient = testSink(at.databaseUrl, { clock, random: () => 0.5, timeouts: { lockMs: 20 } });
    await using holder = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
    const hold = [{ sql: "BEGIN" }, { sql: "SELECT 1 FROM firehose.repos FOR UPDATE" }];
    await holder.use(hold, async (session) => {
      await expect(impatient.apply(...request([recordRow(2)]))).rejects.toMatchObject({
        kind: "service",
        sqlState: "55P03",
      });
      expect(sleeps).toEqual([20, 40, 80, 160, 320]);
      await session.run([{ sql: "ROLLBACK" }]);
    });
    expect(await impatient.apply(...request([recordRow(2)]))).toMatchObject({ kind: "applied" });
  });

  test("a read-only database is the service's error, a missing table is ours", async () => {
    const readOnly = await createDatabase(at.server.databaseUrl);
    await query(
      readOnly,
      `ALTER DATABASE ${new URL(readOnly).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    await using first = testSink(readOnly);
    await expect(first.apply(...request([recordRow(1)]))).rejects.toMatchObject({ kind: "service", sqlState: "25006" });
    const dropped = await createDatabase(at.server.databaseUrl);
    await query(dropped, "DROP TABLE firehose.records CASCADE");
    await using second = testSink(dropped);
    await expect(second.apply(...request([recordRow(1)]))).rejects.toMatchObject({ kind: "broken", sqlState: "42P01" });
  });

  test("a role that prefers another isolation level changes nothing", async () => {
    const strict = await createDatabase(at.server.databaseUrl, {
      settings: ["default_transaction_isolation = 'serializable'"],
    });
    await using own = testSink(strict, { poolSize: 4 });
    const same = Array.from({ length: 8 }, () =>
      own.apply(...request([recordRow(1), recordRow(2)], { lock: { maxConcurrent: 8 } })),
    );
    const results = await Promise.all(same);
    const applied = results.map((result) => (result.kind === "applied" ? result.counts.applied : Number.NaN));
    expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
  });
});

/** Stops the process with SIGSTOP, as a host freezes a function. */
function freeze(ms: number): true {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return true;
}
