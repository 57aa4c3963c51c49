/**
 * Any message may come twice, late, or out of order: the tables end up as after delivery in order. And what runs at
 * once never exceeds the run's limit, and never deadlocks.
 */
import { systemClock } from "@firehose-backfill/core/clock";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import { accountRow, ask, clearTables, identityRow, recordRow, request, START_MS, syncRow } from "./testing.ts";
import { useSink } from "./test-server.ts";
import type { SinkRow } from "./types.ts";

const at = useSink({ poolSize: 8 });

const clear = () => clearTables(at.sink);

/** All that the tables say, but for the wall clock. */
async function tables(): Promise<unknown> {
  const columns =
    "did, handle, handle_at, handle_seq, active, status, status_at, status_seq, purged_at, purged_seq, rev";
  const statements = [
    { sql: "SELECT * FROM firehose.records ORDER BY did, collection, rkey" },
    { sql: `SELECT ${columns} FROM firehose.repos ORDER BY did` },
    { sql: "SELECT did, rkey, cid FROM firehose.live_records ORDER BY did, collection, rkey" },
  ];
  return at.sink.database.use(statements, async (_session, results) => results.map(({ rows }) => rows));
}

/** Batches one after the other, as they are given. */
async function applyAll(batches: readonly (readonly SinkRow[])[]): Promise<void> {
  for (const rows of batches) {
    const result = await at.sink.apply(request(rows));
    if (result.kind !== "applied") throw new Error(result.kind);
    const { applied, stale, dead } = result.counts;
    expect(applied + stale + dead).toBe(rows.length);
  }
}

const DIDS = ["did:plc:alice", "did:plc:bob"];

/** What happens at one moment of a stream; its place in the history gives it its sequence number, time and revision. */
const happening = fc.record({
  did: fc.constantFrom(...DIDS),
  rkey: fc.constantFrom("a", "b"),
  what: fc.constantFrom(
    "write",
    "write",
    "remove",
    "write twice",
    "deleted",
    "suspended",
    "active",
    "handle",
    "no handle",
    "sync",
  ),
});

const history = fc
  .array(happening, { minLength: 1, maxLength: 14 })
  .map((list) => list.flatMap((one, i) => toRows(i + 1, one)));

type Happening = { readonly did: string; readonly rkey: string; readonly what: string };

function toRows(n: number, { did, rkey, what }: Happening): SinkRow[] {
  // A commit that should not be: two operations on one path.
  if (what === "write twice") return ["x", "y"].map((cid) => recordRow(n, { did, rkey, cid }));
  return [toRow(n, { did, rkey, what })];
}

function toRow(n: number, { did, rkey, what }: Happening): SinkRow {
  switch (what) {
    case "write":
      return recordRow(n, { did, rkey });
    case "remove":
      return recordRow(n, { did, rkey, action: "delete" });
    case "deleted":
    case "suspended":
      return accountRow(n, { did, active: false, status: what });
    case "active":
      return accountRow(n, { did });
    case "handle":
      return identityRow(n, { did, handle: `h${n}.test` });
    case "no handle":
      return identityRow(n, { did, handle: null });
    default:
      return syncRow(n, { did });
  }
}

/** The same rows in another order, some of them twice, cut into batches. */
function delivery(rows: readonly SinkRow[]) {
  return fc
    .tuple(
      fc.shuffledSubarray([...rows], { minLength: rows.length }),
      fc.subarray([...rows]),
      fc.infiniteStream(fc.nat(5)),
    )
    .chain(([once, again, sizes]) =>
      fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }).map((all) => cut(all, sizes)),
    );
}

function cut(rows: readonly SinkRow[], sizes: Iterator<number>): SinkRow[][] {
  const batches: SinkRow[][] = [];
  for (let from = 0; from < rows.length;) {
    const size = 1 + Number(sizes.next().value);
    batches.push(rows.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** What a reader of the stream would have who applied it in order: rkeys that live, by did. Independent of the SQL. */
function liveInOrder(rows: readonly SinkRow[]): string[] {
  const records = new Map<string, boolean>();
  const hidden = new Set<string>();
  for (const row of rows) {
    if (row.kind === "record") records.set(`${row.did} ${row.rkey}`, row.action !== "delete");
    if (row.kind !== "account") continue;
    if (row.active) hidden.delete(row.did);
    else hidden.add(row.did);
    if (row.status === "deleted") for (const key of records.keys()) if (key.startsWith(row.did)) records.delete(key);
  }
  const keys = [...records].filter(([key, lives]) => lives && !hidden.has(key.split(" ")[0] ?? ""));
  return keys.map(([key]) => key).sort();
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
        await Promise.all(batches.map((batch) => at.sink.apply(request(batch, { maxConcurrent: 100 }))));
        expect(await tables()).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

/** As a stream of one host, with clocks that are wrong by anything; and of two, each with numbers of its own. */
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
  for (const { host, row } of rows) await at.sink.apply(request([row], { host }));
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
    const both = wrongClocks.chain((list) =>
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

/** As tables(), without the time that a record of no believed time was written at. */
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

test("batches that overlap in every way never deadlock", async () => {
  let state = 7;
  const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  const row = (n: number): SinkRow => {
    const did = `did:plc:${next(6)}`;
    if (next(10) === 0) return accountRow(n, { did, active: false, status: "deleted" });
    // One that the database refuses, now and then: bisecting takes its locks bit by bit.
    return recordRow(n, { did, rkey: `r${next(8)}`, ...(next(60) === 0 ? { json: "?" } : {}) });
  };
  const batches = Array.from({ length: 80 }, (_, b) => Array.from({ length: 15 }, (_unused, i) => row(b * 15 + i)));
  const before = await deadlocks();
  const results = await Promise.all(batches.map((rows) => at.sink.apply(request(rows, { maxConcurrent: 100 }))));
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

/** As a consumer does: busy means again, a little later. */
async function untilApplied(rows: readonly SinkRow[], maxConcurrent: number): Promise<void> {
  for (;;) {
    const { kind } = await at.sink.apply(request(rows, { maxConcurrent }));
    if (kind === "applied") return;
    expect(kind).toBe("busy");
    await systemClock.sleep(Math.random() * 10);
  }
}
