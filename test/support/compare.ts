/** Compares the database with what the oracle expects, through any query function, and describes the differences. */
import { canonicalText } from "./atproto-json.ts";
import { type Expected, type ExpectedRecord, type ExpectedRepo, liveRecords, type Place } from "./oracle.ts";

export type Row = Readonly<Record<string, unknown>>;
/** `$1`, `$2`, ... in `sql` refer to `values`. pg's and Neon's `query` both have this form. */
export type Query = (sql: string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** How many differences are listed for each table; the rest is only counted. */
const SHOWN = 10;
const PAGE_ROWS = 20_000;

/** @throws Error whose message lists the missing, unexpected and different rows */
export async function assertSameTables(query: Query, expected: Expected): Promise<void> {
  const differences = await compareTables(query, expected);
  if (differences.length > 0) throw new Error(`the tables differ from what the frames say:\n${differences.join("\n")}`);
}

/** One line for each difference; an empty list: the tables are right. */
export async function compareTables(query: Query, expected: Expected): Promise<string[]> {
  const records = new Map([...expected.records.values()].map((row) => [keyOf(row), showRecord(row)]));
  const live = new Map(liveRecords(expected).map((row) => [keyOf(row), ""]));
  const repos = new Map([...expected.repos.values()].map((repo) => [repo.did, showRepo(repo)]));
  const dead = await query("select count(*)::text as dead from firehose.dead_events", []);
  const told = String(dead[0]?.["dead"]);
  return [
    ...difference("records", records, await readRecords(query, "firehose.records", showRecord)),
    ...difference("live_records", live, await readRecords(query, "firehose.live_records", () => "")),
    ...difference("repos", repos, await readRepos(query)),
    ...(told === String(expected.dead.length) ? [] : [`dead_events: ${told} instead of ${expected.dead.length}`]),
  ];
}

async function readRecords(
  query: Query,
  table: string,
  show: (row: ExpectedRecord) => string,
): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (let last = ["", "", ""]; ;) {
    // Numbers and times as text, because drivers return different types for them.
    const page = await query(
      `select did, collection, rkey, cid, rev, seq::text as seq, ${milliseconds("indexed_at")}, record::text as record
         from ${table} where (did, collection, rkey) > ($1, $2, $3)
        order by did, collection, rkey limit ${PAGE_ROWS}`,
      last,
    );
    for (const row of page.map(parseRecord)) {
      rows.set(keyOf(row), show(row));
      last = [row.did, row.collection, row.rkey];
    }
    if (page.length < PAGE_ROWS) return rows;
  }
}

function parseRecord(row: Row): ExpectedRecord {
  return {
    did: String(row["did"]),
    collection: String(row["collection"]),
    rkey: String(row["rkey"]),
    cid: textOrNull(row["cid"]),
    rev: String(row["rev"]),
    seq: Number(row["seq"]),
    timeMs: Number(row["indexed_at"]),
    record: typeof row["record"] === "string" ? JSON.parse(row["record"]) : null,
  };
}

async function readRepos(query: Query): Promise<Map<string, string>> {
  const rows = await query(
    `select did, handle, ${milliseconds("handle_at")}, handle_seq::text as handle_seq, active, status,
            ${milliseconds("status_at")}, status_seq::text as status_seq,
            ${milliseconds("purged_at")}, purged_seq::text as purged_seq, rev from firehose.repos`,
    [],
  );
  const repos = rows.map((row): ExpectedRepo => ({
    did: String(row["did"]),
    handle: textOrNull(row["handle"]),
    handlePlace: parsePlace(row["handle_at"], row["handle_seq"]),
    active: typeof row["active"] === "boolean" ? row["active"] : null,
    status: textOrNull(row["status"]),
    statusPlace: parsePlace(row["status_at"], row["status_seq"]),
    purged: parsePlace(row["purged_at"], row["purged_seq"]),
    rev: textOrNull(row["rev"]),
  }));
  return new Map(repos.map((repo) => [repo.did, showRepo(repo)]));
}

function difference(
  table: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  const lines: string[] = [];
  for (const [key, value] of expected) {
    const other = found.get(key);
    if (other === undefined) lines.push(`${table}: missing ${key} ${value}`);
    else if (other !== value) lines.push(`${table}: differs ${key}\n  expected ${value}\n  found    ${other}`);
  }
  for (const [key, value] of found) if (!expected.has(key)) lines.push(`${table}: too much ${key} ${value}`);
  if (lines.length <= SHOWN) return lines;
  return [
    ...lines.slice(0, SHOWN),
    `${table}: and ${lines.length - SHOWN} more; ${expected.size} expected, ${found.size} found`,
  ];
}

function keyOf({ did, collection, rkey }: ExpectedRecord): string {
  return `${did}/${collection}/${rkey}`;
}

function showRecord({ cid, rev, seq, timeMs, record }: ExpectedRecord): string {
  return canonicalText({ cid, rev, seq, at: showTime(timeMs), record });
}

/** A repo without an #account marker is active. */
function showRepo({ handle, handlePlace, active, status, statusPlace, purged, rev }: ExpectedRepo): string {
  const places = { handleAt: showPlace(handlePlace), statusAt: showPlace(statusPlace), purgedAt: showPlace(purged) };
  return canonicalText({ handle, active: active ?? true, status, rev, ...places });
}

function showPlace(place: Place | null): string | null {
  return place === null ? null : `${showTime(place.timeMs)} #${place.seq}`;
}

function showTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function parsePlace(at: unknown, seq: unknown): Place | null {
  return at === null || seq === null ? null : { timeMs: Number(at), seq: Number(seq) };
}

function milliseconds(column: string): string {
  return `round(extract(epoch from ${column}) * 1000)::text as ${column}`;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
