/**
 * Issue 16: a resync that is killed at each crash point, and asked for again in the middle. After it the rows are what the hosts hold, each
 * request is served, and every event is counted once.
 */
import { CRASH_POINTS } from "@firehose-backfill/backfill/deps";
import { cidToText } from "@firehose-backfill/core/cid";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { expect, test } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { livingRepo } from "../support/living-repo.ts";
import { runProgram, temporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";
import { steppingRepo } from "../support/stepping-repo.ts";
import { appears, beginLife } from "./life.ts";

const RECORDS = [30, 60, 90, 120, 150, 180];
/** Rows of each account that its repository does not have. */
const EXTRA = 25;
const PACE = { BACKFILL_BATCH_SIZE: "20", BACKFILL_BATCH_DELAY_MS: "400", BACKFILL_MAX_CONCURRENT: "2" };
const UNPACED = { ...PACE, BACKFILL_BATCH_DELAY_MS: "0" };
const READY_WITHIN_MS = 90_000;
const POINT_WITHIN_MS = 30_000;

test("issue 16.2: killed at each crash point of a resync: the same rows, no request lost, nothing doubled", async () => {
  const random = seeded(16);
  const beganMs = Date.now() - 3_600_000;
  const repos = RECORDS.map((count, index) =>
    livingRepo({ did: `did:plc:${"abcdef".charAt(index).repeat(24)}`, count, timeMs: beganMs, random }),
  );
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const postgres = stack.use(await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true }));
  const plc = stack.use(await startFakePlc());
  const pds = stack.use(await startFakePds(repos.map((repo) => repo.now())));
  for (const repo of repos) plc.put(repo.now(), pds.origin);
  const other = steppingRepo(
    "did:plc:zzzzzzzzzzzzzzzzzzzzzzzz",
    [{ action: "create", path: "a.b.c/3kaaaaaaaaa22" }],
    beganMs,
  );
  const relay = stack.use(await startReplayRelay({ frames: [other.frame(0, 1), other.sync(100)] }));
  const env = {
    RELAY_URL: relay.url,
    BACKFILL_PLC_URL: plc.origin,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    DATABASE_URL: postgres.databaseUrl,
    PORT: "0",
  };
  const whole = await runProgram(["start", "--from", "oldest", "--to", "100", "--until-done"], { ...env, ...PACE });
  expect(whole).toMatchObject({ code: 0 });
  await using database = await openTestDatabase(postgres.databaseUrl);
  for (const { did } of repos)
    await database.query(
      `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
       select '${did}', 'app.bsky.feed.post', '3zzzzzzzzz' || (100 + n), 'bafyreihffx5a2e7k5uwrmmgofbvzujc5cmw5h4espouwuxt3liqoflx3ee', '3aaaaaaaaaaaa', n, '{}', now()
       from generate_series(1, ${EXTRA}) as n`,
      [],
    );
  const dids = repos.map(({ did }) => did);
  expect(await runProgram(["resync", "--dids", dids.join(",")], env)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("6 repositories requested"),
  });

  const reached: string[] = [];
  for (const [index, point] of CRASH_POINTS.entries()) {
    const marker = `${folder.path}/marker-${point}`;
    await using life = await beginLife({
      env: { ...env, ...PACE, BACKFILL_DAYS: "0" },
      start: null,
      consumers: "in-process",
      crash: { point, nth: 1, marker },
    });
    if (!(await life.said("Status page", READY_WITHIN_MS))) throw new Error(`it did not begin:\n${life.log()}`);
    // Asked for again, while the run that has taken it goes on.
    const again = index === 5 ? await runProgram(["resync", "--dids", dids[0] ?? ""], env) : null;
    // Or it was killed while it answered.
    expect([0, 1, null]).toContain(again?.code ?? null);
    if (await appears(marker, POINT_WITHIN_MS)) reached.push(point);
    // It was over before it met the point.
    if (life.ended() !== null) break;
    if (!life.isOver()) life.kill();
    await life.exited;
  }
  // On a busy machine the pace backs off, and a point may not be reached in time: the process is killed all the same. On a fast one the run may end before.
  if (reached.length < CRASH_POINTS.length - 3) throw new Error(`it was killed at ${reached.join(", ")} alone`);

  const last = await runProgram(["run", "--until-done"], { ...env, ...UNPACED, BACKFILL_DAYS: "0" });
  expect(last).toMatchObject({ code: 0 });
  const held = repos.flatMap((repo) =>
    repo.now().records.map(({ key, cid }) => `${repo.did} ${key} ${cidToText(cid)} ${repo.now().rev}`),
  );
  expect((await rowsOf(database)).filter((row) => !row.startsWith(other.did))).toEqual(held.toSorted());
  expect(await runProgram(["resyncs"], env)).toMatchObject({ code: 0, stdout: "" });
  expect(await runProgram(["audit", "--dids", dids.join(",")], env)).toMatchObject({ code: 0 });
  const listed: readonly RunSummary[] = JSON.parse((await runProgram(["runs", "--json"], env)).stdout);
  const resyncs = listed.filter(({ name }) => name === "resync");
  const [second, first] = resyncs.length === 1 ? [undefined, resyncs[0]] : resyncs;
  expect(first).toMatchObject({ received: held.length + EXTRA * dids.length, dead: 0 });
  expect(first?.processed).toBe(first?.received);
  const once = { received: RECORDS[0], processed: RECORDS[0], dead: 0 };
  expect(second ?? once).toMatchObject(once);
  process.stderr.write(`resyncs: killed at ${reached.join(", ")}; ${resyncs.length} runs\n`);
}, 600_000);

async function rowsOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query(
    "select did || ' ' || collection || '/' || rkey || ' ' || cid || ' ' || rev as row from firehose.records where cid is not null",
    [],
  );
  return rows.map(({ row }) => String(row)).toSorted();
}
