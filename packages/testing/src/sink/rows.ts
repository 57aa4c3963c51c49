/** Helpers for tests of sinks: rows with given fields, and a new database on a running server. */
import { existsSync } from "node:fs";
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { AppliedCounts } from "@firehose-backfill/sink/sink";
import { systemClock } from "@firehose-backfill/core/clock";
import { type Database, openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { migrate } from "@firehose-backfill/sink-postgres/schema/migrate";
import { createSink, type PostgresSink, type SinkOptions } from "@firehose-backfill/sink-postgres/sink";
import type { ApplyOptions } from "@firehose-backfill/sink/sink";
import type { SlotLock } from "@firehose-backfill/sink/slot-lock";
import type {
  AccountRow,
  DeadRow,
  IdentityRow,
  RangeRow,
  RecordRow,
  SinkRow,
  SyncRow,
} from "@firehose-backfill/sink/rows";

export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2026, 0, 1);

/** Event `n` of a stream. Its sequence number, time and revision are computed from `n`. */
function moment(n: number) {
  return { seq: n, timeMs: START_MS + n * 1000 };
}

export function revOf(n: number): string {
  return `3l${String(n).padStart(11, "0")}`;
}

type StreamRow = RecordRow & { readonly seq: number };

export function recordRow(n: number, fields: Partial<StreamRow> = {}): StreamRow {
  const base = { kind: "record", did: "did:plc:alice", collection: "app.bsky.feed.post", rkey: `rkey${n}` } as const;
  const body =
    fields.action === "delete"
      ? { cid: null, json: null }
      : { cid: `cid${n}`, json: JSON.stringify({ $type: "app.bsky.feed.post", text: `record ${n}` }) };
  return { ...base, action: "create", rev: revOf(n), ...moment(n), ...body, ...fields };
}

/** A record with the key `rkey` that a repository proves at revision `n`. */
export function provedRow(n: number, fields: Partial<RecordRow> = {}): RecordRow {
  return { ...recordRow(n), ...fields, seq: null };
}

/** A range that proves at revision `n` that the collection has only these records. */
export function rangeRow(n: number, rkeys: readonly string[], fields: Partial<RangeRow> = {}): RangeRow {
  const { did, collection, rev, timeMs } = recordRow(n);
  const name = fields.collection ?? collection;
  return {
    kind: "range",
    did,
    rev,
    timeMs,
    collection: name,
    from: `${name}/`,
    to: `${name}0`,
    sinceTid: null,
    keys: rkeys.map((rkey) => `${name}/${rkey}`),
    ...fields,
  };
}

export function accountRow(n: number, fields: Partial<AccountRow> = {}): AccountRow {
  return { kind: "account", did: "did:plc:alice", active: true, status: null, ...moment(n), ...fields };
}

export function identityRow(n: number, fields: Partial<IdentityRow> = {}): IdentityRow {
  return { kind: "identity", did: "did:plc:alice", handle: "alice.test", ...moment(n), ...fields };
}

export function syncRow(n: number, fields: Partial<SyncRow> = {}): SyncRow {
  return { kind: "sync", did: "did:plc:alice", rev: revOf(n), ...moment(n), ...fields };
}

export function deadRow(n: number, fields: Partial<DeadRow> = {}): DeadRow {
  const base = { kind: "dead", did: "did:plc:alice", path: "a.b.c/d", reason: "missing-block" } as const;
  return { ...base, error: "no such block", payload: Uint8Array.of(0, 1, 255), ...moment(n), ...fields };
}

export interface RequestFields extends Omit<ApplyOptions, "lock"> {
  readonly key?: Partial<BatchKey>;
  readonly lock?: Partial<SlotLock>;
}

/** The arguments of apply(): rows of run-1 with its lock. */
export function request(
  rows: readonly SinkRow[],
  { key, lock, ...options }: RequestFields = {},
): [BatchKey, readonly SinkRow[], ApplyOptions] {
  return [
    { runId: "run-1", generation: 1, window: 1, fence: 1, number: 0, ...key },
    rows,
    { lock: { name: "run-1", maxConcurrent: 2, isOnTime: () => true, ...lock }, ...options },
  ];
}

/** A sink on that database, with default options. */
export function testSink(databaseUrl: string, fields: Partial<SinkOptions> = {}): PostgresSink {
  return createSink({
    databaseUrl,
    poolSize: 1,
    clock: systemClock,
    random: Math.random,
    throttleQuery: null,
    ...fields,
  });
}

export async function sqlOn(sink: PostgresSink, sql: string): Promise<readonly (readonly (string | null)[])[]> {
  return sink.database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
}

export async function clearTables(sink: PostgresSink): Promise<void> {
  const deletes = ["records", "repos", "dead_events"].map((name) => ({ sql: `DELETE FROM firehose.${name}` }));
  await sink.database.use(deletes, async () => {});
}

/** Applies one batch, and checks that each row is counted once. */
export async function applyTo(sink: PostgresSink, rows: readonly SinkRow[]): Promise<AppliedCounts> {
  const result = await sink.apply(...request(rows));
  if (result.kind !== "applied") throw new Error(`expected applied, got ${result.kind}`);
  const { applied, stale, dead } = result.counts;
  const events = rows.filter(({ kind }) => kind !== "range").length;
  if (applied + (stale ?? 0) + dead !== events)
    throw new Error(`${JSON.stringify(result.counts)} of ${rows.length} rows`);
  return { applied, stale, dead };
}

/** Reads the view: rkey, CID and the record's text. */
export async function liveIn(sink: PostgresSink): Promise<readonly (readonly (string | null)[])[]> {
  const sql = "SELECT rkey, cid, record->>'text' FROM firehose.live_records ORDER BY did, collection, rkey";
  return sqlOn(sink, sql);
}

let databases = 0;

/** Creates an empty database on that server with these settings (ALTER DATABASE), and returns its URL. */
export async function createDatabase(
  serverUrl: string,
  options: { readonly migrated?: boolean; readonly settings?: readonly string[] } = {},
): Promise<string> {
  databases += 1;
  const name = `test_${databases}`;
  await query(serverUrl, `CREATE DATABASE ${name}`);
  for (const setting of options.settings ?? []) await query(serverUrl, `ALTER DATABASE ${name} SET ${setting}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  if (options.migrated !== false) await migrate({ databaseUrl: url.href });
  return url.href;
}

export async function query(databaseUrl: string, sql: string): Promise<readonly (readonly (string | null)[])[]> {
  await using database = openDatabase({ databaseUrl, poolSize: 1 });
  return database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
}

/** The servers for tests: the embedded one, and an older one if Debian's is installed. `binDir` is for startPostgres(). */
export const SERVERS: readonly { readonly name: string; readonly binDir?: string }[] = [
  { name: "Postgres 18" },
  ...["/usr/lib/postgresql/15/bin"]
    .filter((path) => existsSync(path))
    .map((binDir) => ({ name: "Postgres 15", binDir })),
];

/** Returns the single value of a query. */
export async function ask(database: Database, sql: string): Promise<string | null | undefined> {
  return database.use([{ sql }], async (_session, [result]) => result?.rows[0]?.[0]);
}
