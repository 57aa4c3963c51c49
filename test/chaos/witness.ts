/**
 * Watches one promise from outside: the applied cursor never passes work that is not in the tables. It reads the cursor
 * first and the tables after it, so that whatever the cursor vouches for must be there.
 */
import { readFile } from "node:fs/promises";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Query } from "../support/compare.ts";
import { readOracleFrame } from "../support/oracle-frame.ts";
import { openTestDatabase } from "../support/query.ts";
import type { Life } from "./life.ts";

export interface Witness {
  /** Nothing to see while the program is down is no offence. @throws Error that lists what the cursor has left behind */
  look(life: Life): Promise<void>;
  readonly observations: () => number;
}

/** Sequence numbers in rising order, by what they must have left behind. */
export interface Testimony {
  readonly records: ReadonlyMap<string, readonly number[]>;
  readonly handles: ReadonlyMap<string, readonly number[]>;
  readonly statuses: ReadonlyMap<string, readonly number[]>;
}

const PAGE_TIMEOUT_MS = 5_000;
/** A look reads whole tables: often enough to see something, seldom enough not to be the load itself. */
const REST_MS = 5_000;

/** `databaseUrl`: left out, the embedded one's. */
export function createWitness(dataDir: string, testimony: Testimony, databaseUrl?: string): Witness {
  let observations = 0;
  let lastAt = -REST_MS;
  const see = async (life: Life): Promise<string[] | null> => {
    const url = /Status page: (\S+)/.exec(life.log())?.[1];
    if (url === undefined) return null;
    const response = await fetch(`${url}/status.json`, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    const { cursor }: Snapshot = JSON.parse(await response.text());
    if (cursor.applied === null) return null;
    await using database = await openTestDatabase(databaseUrl ?? (await databaseUrlIn(dataDir)));
    return await missingBelow(database.query, testimony, cursor.applied.seq);
  };
  return {
    async look(life) {
      if (performance.now() - lastAt < REST_MS) return;
      const missing = await see(life).catch(() => null);
      if (missing === null) return;
      lastAt = performance.now();
      observations += 1;
      if (missing.length > 0)
        throw new Error(
          `the applied cursor passed ${missing.length} that are not applied, ${missing[0]}:\n${life.log()}`,
        );
    },
    observations: () => observations,
  };
}

/** Of the embedded Postgres that runs there now. */
export async function databaseUrlIn(dataDir: string): Promise<string> {
  const [password, postmaster] = await Promise.all([
    readFile(`${dataDir}/postgres/password`, "utf8"),
    readFile(`${dataDir}/postgres/data/postmaster.pid`, "utf8"),
  ]);
  const port = postmaster.split("\n")[3];
  return `postgres://postgres:${password.trim()}@127.0.0.1:${port}/postgres?sslmode=disable`;
}

export async function testimonyOf(frames: Iterable<Uint8Array>): Promise<Testimony> {
  const records = new Map<string, number[]>();
  const handles = new Map<string, number[]>();
  const statuses = new Map<string, number[]>();
  const note = (map: Map<string, number[]>, key: string, seq: number) => {
    const seqs = map.get(key);
    if (seqs === undefined) map.set(key, [seq]);
    else seqs.push(seq);
  };
  for (const bytes of frames) {
    const frame = await readOracleFrame(bytes);
    if (frame.kind === "commit")
      for (const op of frame.ops) note(records, `${frame.did} ${op.collection} ${op.rkey}`, frame.seq);
    else if (frame.kind === "identity" && frame.handle !== null) note(handles, frame.did, frame.seq);
    else if (frame.kind === "account") note(statuses, frame.did, frame.seq);
  }
  return { records, handles, statuses };
}

/** What is missing although `appliedSeq` says that it is applied; none: the promise holds at this moment. */
async function missingBelow(query: Query, testimony: Testimony, appliedSeq: number): Promise<string[]> {
  const rows = await query("select did, collection, rkey, seq::text as seq from firehose.records", []);
  const repos = await query(
    `select did, handle_seq::text as handle_seq, status_seq::text as status_seq, purged_seq::text as purged_seq
       from firehose.repos`,
    [],
  );
  const seqOf = new Map(
    rows.map((row) => [`${text(row["did"])} ${text(row["collection"])} ${text(row["rkey"])}`, Number(row["seq"])]),
  );
  const repoOf = new Map(repos.map((repo) => [text(repo["did"]), repo]));
  const missing: string[] = [];
  for (const [key, seqs] of testimony.records) {
    const due = lastUpTo(seqs, appliedSeq);
    if (due === null || (seqOf.get(key) ?? 0) >= due) continue;
    // Rows of an account that was deleted since are gone, as they must be.
    const repo = repoOf.get(key.slice(0, key.indexOf(" ")));
    if (Number(repo?.["purged_seq"] ?? 0) < due) missing.push(`${key} of seq ${due}`);
  }
  for (const [column, map] of [
    ["handle_seq", testimony.handles],
    ["status_seq", testimony.statuses],
  ] as const) {
    for (const [did, seqs] of map) {
      const due = lastUpTo(seqs, appliedSeq);
      if (due !== null && Number(repoOf.get(did)?.[column] ?? 0) < due) missing.push(`${column} of ${did}, seq ${due}`);
    }
  }
  return missing;
}

function lastUpTo(seqs: readonly number[], limit: number): number | null {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle] ?? Number.POSITIVE_INFINITY) <= limit) low = middle + 1;
    else high = middle;
  }
  return seqs[low - 1] ?? null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
