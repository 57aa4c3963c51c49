/** Clocks of hosts that are wrong by any amount. Within a host the sequence number decides, and no single wrong time has a permanent effect. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountRow,
  ask,
  clearTables,
  identityRow,
  recordRow,
  request,
  START_MS,
} from "@firehose-backfill/testing/sink/rows";
import { delivery, happening, liveInOrder, toRows } from "@firehose-backfill/testing/sink/histories";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { SinkRow } from "@firehose-backfill/sink/rows";

const at = useSink({ poolSize: 2 });

const clear = () => clearTables(at.sink);

/** Batches one after the other, as they are given. */
async function applyAll(batches: readonly (readonly SinkRow[])[]): Promise<void> {
  for (const rows of batches) {
    const result = await at.sink.apply(...request(rows));
    if (result.kind !== "applied") throw new Error(result.kind);
    const { applied, stale, dead } = result.counts;
    expect(applied + (stale ?? 0) + dead).toBe(rows.length);
  }
}

/** Streams of one host whose clocks are wrong by any amount, and of two hosts with separate sequence numbers. */
const wrongClocks = fc
  .array(
    fc.record({
      happening,
      host: fc.constantFrom("a.example", "b.example"),
      offByMs: fc.constantFrom(0, 0, 0, -3_600_000, 3_600_000, 86_400_000, Date.UTC(9999, 0, 1) - START_MS),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) =>
    list.flatMap(({ happening: one, host, offByMs }, i) =>
      toRows(i + 1, one).map((row) => ({ host, row: { ...row, timeMs: row.timeMs + offByMs } })),
    ),
  );

type Hosted = { readonly host: string; readonly row: SinkRow };

async function applyHosted(rows: readonly Hosted[]): Promise<void> {
  for (const { host, row } of rows) await at.sink.apply(...request([row], { host }));
}

describe("fault 3: no single clock decides", () => {
  test("within one host what came later holds, whatever the clocks say", async () => {
    await fc.assert(
      fc.asyncProperty(wrongClocks, async (list) => {
        const rows = list.map(({ row }) => row);
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

  test("of one host, in any order and any batches: the same tables", async () => {
    const both = wrongClocks.chain((list) => {
      const rows = list.map(({ row }) => row);
      return fc.tuple(fc.constant(rows), delivery(rows));
    });
    await fc.assert(
      fc.asyncProperty(both, async ([rows, batches]) => {
        await clear();
        await applyAll(rows.map((row) => [row]));
        const expected = await decided();
        await clear();
        await applyAll(batches);
        expect(await decided()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test("of two hosts, in any order: the same tables", async () => {
    // Each record occurs once, because the order of two revisions and the order of a deletion on another host could contradict
    // each other, and then no result would be right.
    const once = wrongClocks.map((list) =>
      list.map(({ host, row }, n) => ({ host, row: row.kind === "record" ? { ...row, rkey: `r${n}` } : row })),
    );
    const both = once.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list], { minLength: list.length })),
    );
    await fc.assert(
      fc.asyncProperty(both, async ([list, shuffled]) => {
        await clear();
        await applyHosted(list);
        const expected = await decided();
        await clear();
        await applyHosted([...shuffled, ...shuffled.slice(0, 3)]);
        expect(await decided()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test("nothing of the year 9999 is stored, and what has no believed time says so", async () => {
    await clear();
    const timeMs = Date.UTC(9999, 0, 1);
    await applyAll([
      [accountRow(1, { timeMs, active: false, status: "deleted" })],
      [identityRow(2, { timeMs })],
      [accountRow(3)],
      [recordRow(4, { timeMs })],
    ]);
    const ahead = `SELECT count(*) FROM firehose.repos, firehose.records
      WHERE greatest(status_at, handle_at, purged_at, indexed_at) > now() + interval '5 minutes'`;
    expect(await ask(at.sink.database, ahead)).toBe("0");
    expect(await ask(at.sink.database, "SELECT handle FROM firehose.repos WHERE handle_at IS NULL")).toBe("alice.test");
    expect(await ask(at.sink.database, "SELECT count(*) FROM firehose.live_records")).toBe("1");
  });

  test("rows from before hosts were told apart still count by their time", async () => {
    await clear();
    const old = `INSERT INTO firehose.repos (did, active, status, status_at, status_seq, handle, handle_at, handle_seq, updated_at)
      VALUES ('did:plc:alice', false, 'takendown', '2026-01-01T01:00:00Z', 900, 'old.test', '2026-01-01T01:00:00Z', 900, now())`;
    await at.sink.database.use([{ sql: old }], async () => {});
    await applyAll([[accountRow(5), identityRow(6)]]);
    const look = "SELECT active::text || ' ' || handle FROM firehose.repos";
    expect(await ask(at.sink.database, look)).toBe("false old.test");
    await applyAll([[accountRow(7200), identityRow(7201)]]);
    expect(await ask(at.sink.database, look)).toBe("true alice.test");
  });
});

/** Like tables(), but without the write time of records whose time is not believed. */
async function decided(): Promise<unknown> {
  const columns =
    "did, handle, handle_at, handle_seq, active, status, status_at, status_seq, purged_at, purged_seq, rev";
  const statements = [
    { sql: "SELECT did, rkey, cid, rev, seq FROM firehose.records ORDER BY did, collection, rkey" },
    { sql: `SELECT ${columns} FROM firehose.repos ORDER BY did` },
    { sql: "SELECT did, rkey, cid FROM firehose.live_records ORDER BY did, collection, rkey" },
  ];
  return at.sink.database.use(statements, async (_session, results) => results.map(({ rows }) => rows));
}
