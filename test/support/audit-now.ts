/** The end of a campaign over repositories that a host serves: the audit of every one of them, and deliberate faults that it must find. */
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { AuditReport } from "@firehose-backfill/audit/report";
import { auditHere } from "@firehose-backfill/server/audit-here";
import { expect } from "vitest";
import { openTestDatabase } from "./query.ts";

interface Copy {
  readonly databaseUrl: string;
  readonly plcUrl: string;
}

export async function auditNow({ databaseUrl, plcUrl }: Copy): Promise<AuditReport> {
  return await auditHere({
    config: parseConfig({
      DATABASE_URL: databaseUrl,
      BACKFILL_PLC_URL: plcUrl,
      BACKFILL_HOST_RATE: "8",
      RELAY_URL: "sample",
    }),
    repositories: { kind: "all" },
    collections: [],
    after: null,
    clock: systemClock,
    random: Math.random,
    onProgress: () => undefined,
    onWaiting: () => undefined,
    signal: new AbortController().signal,
  });
}

/**
 * All of `dids` are equal; and after a row was removed, one altered, one added, and a deleted record brought back, each in a repository of its
 * own, the audit names these and nothing else. The copy is broken afterwards.
 */
export async function expectProvedCopy(copy: Copy, dids: readonly string[]): Promise<void> {
  const sound = await auditNow(copy);
  expect(sound.repos).toEqual([]);
  expect(sound).toMatchObject({ audited: dids.length, equal: dids.length, isComplete: true });
  const expected = await makeFaults(copy.databaseUrl);
  const { repos, differing, equal } = await auditNow(copy);
  expect([differing, equal]).toEqual([expected.size, dids.length - expected.size]);
  const found = repos.map(({ did, missing, extra, other }) => [did, { missing, extra, other }] as const);
  expect(new Map(found)).toEqual(expected);
}

type Found = ReadonlyMap<
  string,
  { readonly missing: readonly string[]; readonly extra: readonly string[]; readonly other: readonly string[] }
>;

const NONE = { missing: [], extra: [], other: [] };
const ROW = "did || ' ' || collection || '/' || rkey";

async function makeFaults(databaseUrl: string): Promise<Found> {
  await using database = await openTestDatabase(databaseUrl);
  const rowOf = async (condition: string, butNot: readonly string[]) => {
    const [row] = await database.query(
      `select did, collection, rkey from firehose.records where ${condition} and did <> all($1) order by did, rkey limit 1`,
      [butNot],
    );
    if (row === undefined) throw new Error(`there is no row where ${condition}`);
    const { did, collection, rkey } = row;
    return { did: String(did), path: `${String(collection)}/${String(rkey)}` };
  };
  // First the tombstone: not every repository has one.
  const gone = await rowOf("cid is null", []);
  const removed = await rowOf("cid is not null", [gone.did]);
  const altered = await rowOf("cid is not null", [gone.did, removed.did]);
  const added = await rowOf("cid is not null", [gone.did, removed.did, altered.did]);
  const on = ({ did, path }: { readonly did: string; readonly path: string }) => [`${did} ${path}`];
  const another = `(select max(cid) from firehose.records where ${ROW} <> $1)`;
  await database.query(`delete from firehose.records where ${ROW} = $1`, on(removed));
  await database.query(`update firehose.records set cid = ${another} where ${ROW} = $1`, on(altered));
  await database.query(`update firehose.records set cid = ${another}, record = '{}' where ${ROW} = $1`, on(gone));
  await database.query(
    `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
     select did, 'com.example.added', 'never', cid, rev, seq, record, indexed_at from firehose.records where ${ROW} = $1`,
    on(added),
  );
  return new Map([
    [gone.did, { ...NONE, extra: [gone.path] }],
    [removed.did, { ...NONE, missing: [removed.path] }],
    [altered.did, { ...NONE, other: [altered.path] }],
    [added.did, { ...NONE, extra: ["com.example.added/never"] }],
  ]);
}
