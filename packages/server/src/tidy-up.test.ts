import { systemClock } from "@firehose-backfill/core/clock";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tidyUp } from "@firehose-backfill/backfill/tidy-up";
import { openSink } from "./open-sink.ts";

let folder: string;
let postgres: Postgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidy-up-"));
  postgres = await startPostgres({ dataDir: folder, throwaway: true });
  await openSink(postgres.databaseUrl).migrate();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function tidied(signal = new AbortController().signal, dead = 0): Promise<string[]> {
  const lines: string[] = [];
  const { databaseUrl } = postgres;
  await tidyUp({
    tidying: openSink(databaseUrl).tidying,
    atMostMs: 20_000,
    deadLetters: () => Promise.resolve(dead),
    clock: systemClock,
    log: (line) => void lines.push(line),
    signal,
  });
  return lines;
}

test("tombstones of more than 30 days go; younger ones, and records of any age, stay", async () => {
  await using database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
  const run = (sql: string) => database.use([{ sql }], (_session, [result]) => Promise.resolve(result?.rows ?? []));
  await run(`insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
    select 'did:plc:a', 'a.b.c', kind || n, case kind when 'live' then 'cid' end, '3a', n, case kind when 'live' then '{}'::jsonb end,
           now() - make_interval(days => n)
    from generate_series(1, 60, 28) as n, unnest(array['live', 'gone']) as kind`);
  expect(await tidied(AbortSignal.abort())).toEqual([]);
  // A batch of any age may come back from there.
  expect(await tidied(undefined, 1)).toEqual([]);
  expect(await tidied()).toEqual(["[BACKFILL] 1 tombstones older than 30 days are removed"]);
  const left = await run("select rkey from firehose.records order by 1");
  expect(left.flat()).toEqual(["gone1", "gone29", "live1", "live29", "live57"]);
  expect(await tidied()).toEqual([]);
});

test("a database that cannot be reached does not fail the run", async () => {
  const lines: string[] = [];
  await tidyUp({
    tidying: openSink("postgres://nobody@127.0.0.1:9/none?sslmode=disable").tidying,
    atMostMs: 20_000,
    deadLetters: () => Promise.resolve(0),
    clock: systemClock,
    log: (line) => void lines.push(line),
    signal: new AbortController().signal,
  });
  expect(lines).toEqual([expect.stringMatching(/^\[BACKFILL\] Old tombstones stay for now: .*ECONNREFUSED/)]);
});
