/**
 * Reads the change feed in pages. A token of the database (schema/change-feed.ts) is a snapshot; while a page ends in the middle
 * of what lies between two snapshots, the token names both and the transaction up to which all is read:
 *
 *     ID:SNAPSHOT                     everything up to there is read
 *     ID:SNAPSHOT|ID:SNAPSHOT|XID     between the two, what transactions up to XID wrote is read
 *     ID:SNAPSHOT|repos|DID           the first copy: repos up to that one are read
 *     ID:SNAPSHOT|records|DID/C/RKEY  the first copy: records up to that key are read
 */
import type { Change, ChangeFeed, ChangePage } from "@firehose-backfill/sink/change-feed";
import { RECORD_COLUMNS, toApplied } from "./applied.ts";
import type { Database, Session } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { PostgresError, StatementError, toSinkError } from "./sink-error.ts";

/** Each statement sees what was committed before it. So a token that is made first is never newer than what is read after it. */
const OPENING: readonly Statement[] = [
  { sql: "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY" },
  { sql: "SET LOCAL statement_timeout = '60s'" },
];
const NOW = "SELECT firehose.change_token()";
const INVALID_PARAMETER = "22023";

/** How many transactions the first page covers. Other databases of the cluster use transaction numbers, too. */
const FIRST_STEP = 1_000;
const MOST_STEP = 1e12;

export function openChanges(database: Database): ChangeFeed {
  // The number is adapted, because a transaction may have one row or a thousand, or may belong to another program.
  let step = FIRST_STEP;

  async function read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await database.use(OPENING, async (session) => {
        const result = await work(session);
        await session.run([{ sql: "COMMIT" }]);
        return result;
      });
    } catch (error) {
      throw explain(error);
    }
  }

  async function between(session: Session, at: Between, limit: number): Promise<ChangePage> {
    const edges = await edgesOf(session, at);
    if (at.xid === null && edges.hasOpen) {
      const late = { ...at, from: 0, to: edges.begin - 1 };
      const page = await pageOf(session, late, edges, await recordsBetween(session, late, null));
      if (page.entries.length > 0) return page;
    }
    const from = at.xid ?? edges.begin - 1;
    const range = { ...at, from, to: Math.min(from + step, edges.end - 1) };
    const found = await recordsBetween(session, range, limit);
    if (found.length < limit / 2) step = Math.min(step * 2, MOST_STEP);
    const cut = Number(found.at(-1)?.[XID]);
    if (found.length <= limit) return await pageOf(session, range, edges, found);
    // There are more rows than requested, so the page ends after a complete transaction.
    step = Math.max(1, Math.floor(step / 2));
    const whole = found.filter((row) => Number(row[XID]) < cut);
    if (whole.length > 0) return await pageOf(session, { ...range, to: cut - 1 }, edges, whole);
    const one = { ...range, to: cut };
    return await pageOf(session, one, edges, await recordsBetween(session, one, null));
  }

  return {
    now: () => read(newToken),
    changes: (since, limit) =>
      read(async (session) => {
        if (since === "start") return { entries: [], token: `${await newToken(session)}|repos|`, isEnd: false };
        const [token = "", second, ...rest] = since.split("|");
        const third = rest.join("|");
        if (second === "repos" || second === "records") {
          return await firstCopy(session, { token, table: second, after: third, limit });
        }
        if (second === undefined) {
          return await between(session, { since: token, until: await newToken(session), xid: null }, limit);
        }
        return await between(session, { since: token, until: second, xid: Number(third) }, limit);
      }),
  };
}

interface Between {
  readonly since: string;
  readonly until: string;
  /** Everything up to here is read. null: nothing is. */
  readonly xid: number | null;
}

type Row = readonly (string | null)[];

/** Converts the columns of a record. */
const XID = 8;

interface Edges {
  /** Below this transaction, only those that were open in the first snapshot can be new. */
  readonly begin: number;
  readonly hasOpen: boolean;
  /** The second snapshot contains nothing from this transaction on. */
  readonly end: number;
}

async function edgesOf(session: Session, { since, until }: Between): Promise<Edges> {
  const sql = `SELECT pg_snapshot_xmax(s)::text, pg_snapshot_xmax(s) <> pg_snapshot_xmin(s), pg_snapshot_xmax(u)::text
    FROM firehose.token_snapshot($1) AS s, firehose.token_snapshot($2) AS u`;
  const [edges] = await session.run([{ sql, values: [since, until] }]);
  const [begin, hasOpen, end] = edges?.rows[0] ?? [];
  return { begin: Number(begin), hasOpen: hasOpen === "t", end: Number(end) };
}

/** Transactions above `from`, up to `to`. */
interface Range extends Between {
  readonly from: number;
  readonly to: number;
}

/** It reads one row more than `limit` to see whether there are more. null: all rows. */
async function recordsBetween(session: Session, range: Range, limit: number | null): Promise<readonly Row[]> {
  const { since, until, from, to } = range;
  const sql = `SELECT ${RECORD_COLUMNS}, xid FROM firehose.changes($1, $2)
    WHERE xid > $3::bigint AND xid <= $4::bigint
    ORDER BY xid, did, collection, rkey LIMIT $5::bigint`;
  const values = [since, until, String(from), String(to), limit === null ? null : String(limit + 1)];
  const [found] = await session.run([{ sql, values }]);
  return found?.rows ?? [];
}

async function pageOf(session: Session, range: Range, { end }: Edges, rows: readonly Row[]): Promise<ChangePage> {
  const { since, until, from, to } = range;
  const sql = `SELECT did, is_purged, active, status, handle FROM firehose.account_changes($1, $2)
    WHERE xid > $3::bigint AND xid <= $4::bigint ORDER BY is_purged DESC, xid, did`;
  const [accounts] = await session.run([{ sql, values: [since, until, String(from), String(to)] }]);
  const entries: Change[] = [];
  for (const row of accounts?.rows ?? []) {
    const [did, isPurged] = row;
    if (isPurged === "t") entries.push({ kind: "purge", did: did ?? "" }, ...(await recordsOf(session, did ?? "")));
    else entries.push(accountOf(row));
  }
  entries.push(...rows.map(recordOf));
  const isEnd = to >= end - 1;
  return { entries, token: isEnd ? until : `${since}|${until}|${to}`, isEnd };
}

/** The rows that an account has after its deletion. There are some only if it came back. */
async function recordsOf(session: Session, did: string): Promise<readonly Change[]> {
  const sql = `SELECT ${RECORD_COLUMNS} FROM firehose.records WHERE did = $1 ORDER BY collection, rkey`;
  const [found] = await session.run([{ sql, values: [did] }]);
  return (found?.rows ?? []).map(recordOf);
}

/** Reads repos and then records, each in the order of its primary key. What changes meanwhile comes in the feed after that. */
async function firstCopy(
  session: Session,
  at: { readonly token: string; readonly table: "repos" | "records"; readonly after: string; readonly limit: number },
): Promise<ChangePage> {
  const { token, table, after, limit } = at;
  const check: Statement = { sql: "SELECT firehose.token_snapshot($1)", values: [token] };
  if (table === "repos") {
    const sql = `SELECT did, false, active, status, handle FROM firehose.repos
      WHERE did > $1 AND (active IS NOT NULL OR handle IS NOT NULL) ORDER BY did LIMIT $2::bigint`;
    const [, found] = await session.run([check, { sql, values: [after, String(limit)] }]);
    const entries = (found?.rows ?? []).map(accountOf);
    const last = entries.length < limit ? null : (found?.rows.at(-1)?.[0] ?? "");
    return { entries, token: last === null ? `${token}|records|` : `${token}|repos|${last}`, isEnd: false };
  }
  const [did = "", collection = "", ...rkey] = after.split("/");
  const sql = `SELECT ${RECORD_COLUMNS} FROM firehose.records
    WHERE (did, collection, rkey) > ($1, $2, $3) ORDER BY did, collection, rkey LIMIT $4::bigint`;
  const [, found] = await session.run([check, { sql, values: [did, collection, rkey.join("/"), String(limit)] }]);
  const entries = (found?.rows ?? []).map(recordOf);
  const last = entries.at(-1);
  if (entries.length < limit || last === undefined) return { entries, token, isEnd: false };
  return { entries, token: `${token}|records|${last.did}/${last.collection}/${last.rkey}`, isEnd: false };
}

async function newToken(session: Session): Promise<string> {
  const [made] = await session.run([{ sql: NOW }]);
  return made?.rows[0]?.[0] ?? "";
}

function recordOf(row: Row): { readonly kind: "record" } & ReturnType<typeof toApplied> {
  return { kind: "record", ...toApplied(row) };
}

function accountOf([did, , active, status, handle]: Row): Change {
  const isActive = active === "t" ? true : active === "f" ? false : null;
  return { kind: "account", did: did ?? "", active: isActive, status: status ?? null, handle: handle ?? null };
}

/** An error about a token is not caused by data. The database's message is for the person who asked. */
function explain(error: unknown): PostgresError {
  if (error instanceof StatementError && error.sqlState === INVALID_PARAMETER) {
    return new PostgresError(error.message, { kind: "broken", sqlState: error.sqlState }, { cause: error });
  }
  return toSinkError(error);
}
