/**
 * Resyncs, from a relay's socket to an audit: what the relay withholds is noticed by the next commit, the repository is read anew by a run of its
 * own, and then the rows are what the account has signed.
 */
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { auditHere } from "@firehose-backfill/server/audit-here";
import { runServer } from "@firehose-backfill/server/run-server";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { finalSnapshot, runProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { type Op, steppingRepo, type SteppingRepo } from "../support/stepping-repo.ts";

const POST = "app.bsky.feed.post";
const didOf = (letter: string): string => `did:plc:${letter.repeat(24)}`;
const path = `${POST}/3kaaaaaaaaa2a`;
const OPS: readonly Op[] = [
  { action: "create", path: `${POST}/3kaaaaaaaaa22` },
  { action: "create", path },
  { action: "update", path },
  { action: "delete", path },
  { action: "create", path: "app.bsky.feed.like/3kaaaaaaaaa2b" },
  { action: "create", path: `${POST}/3kaaaaaaaaa2c` },
];

let folder: TemporaryFolder;
let postgres: Postgres;
beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
}, 120_000);
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Two accounts, their host, the directory, a relay with these frames, and an empty database. */
async function openWorld(name: string, frames: (alice: SteppingRepo, bob: SteppingRepo) => readonly Uint8Array[]) {
  await using stack = new AsyncDisposableStack();
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create database ${name}`, []);
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  const beganMs = Date.now() - 3_600_000;
  const [alice, bob] = [steppingRepo(didOf("a"), OPS, beganMs), steppingRepo(didOf("b"), OPS, beganMs)];
  const pds = stack.use(await startFakePds([alice.last, bob.last]));
  for (const { did, states } of [alice, bob]) for (const state of states) pds.earlier.set(`${did} ${state.rev}`, state);
  const plc = stack.use(await startFakePlc());
  for (const { last } of [alice, bob]) plc.put(last, pds.origin);
  const relay = stack.use(await startReplayRelay({ frames: [...frames(alice, bob)] }));
  const raw = {
    RELAY_URL: relay.url,
    DATABASE_URL: url.href,
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_PLC_URL: plc.origin,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_VERIFY: "chain",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_MEMORY_MB: "4096",
    PORT: "0",
  };
  const settings = (more: Readonly<Record<string, string>>) => ({ ...raw, ...more });
  const kept = stack.move();
  return {
    alice,
    bob,
    pds,
    env: raw,
    async query(sql: string) {
      await using database = await openTestDatabase(url.href);
      return await database.query(sql, []);
    },
    /** Until it is done: from the beginning of the stream, or what is left to do. */
    async run(more: Readonly<Record<string, string>>, isFirst: boolean) {
      const lines: string[] = [];
      const given = settings(more);
      const { exit, snapshot } = await runServer({
        config: parseConfig(given),
        configure: (values) => parseConfig(given, { overrides: [{ source: "event", values }] }),
        untilDone: true,
        consumers: "in-process",
        ...(isFirst ? { start: { from: "oldest", to: "100", isNew: false, isDryRun: false } } : {}),
        onSnapshot: () => {},
        log: (line) => lines.push(line),
        stop: new AbortController().signal,
      });
      if (snapshot === null) throw new Error("no snapshot");
      return { exit, snapshot, lines };
    },
    audit: (collections: readonly string[] = []) =>
      auditHere({
        config: parseConfig(raw),
        repositories: { kind: "all" },
        collections,
        after: null,
        clock: systemClock,
        random: Math.random,
        onProgress: () => {},
        onWaiting: () => {},
        signal: new AbortController().signal,
      }),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/** Commits of both in turn; the n-th one of Alice is withheld. */
function withheld(n: number) {
  return (alice: SteppingRepo, bob: SteppingRepo): Uint8Array[] => {
    const frames = OPS.flatMap((_, step) => [alice.frame(step, 2 * step + 1), bob.frame(step, 2 * step + 2)]);
    return [...frames.filter((_, index) => index !== 2 * n), bob.sync(100)];
  };
}

/** It begins no run, and serves what is requested. */
const ONLY_RESYNCS = { BACKFILL_DAYS: "0" };

test.each([
  // What the next commits overwrite leaves no difference behind.
  ["create", 1, []],
  ["update", 2, []],
  ["delete", 3, [{ did: didOf("a"), extra: [path] }]],
  ["create of what stays", 4, [{ did: didOf("a"), missing: ["app.bsky.feed.like/3kaaaaaaaaa2b"] }]],
] as const)(
  "issue 16.2: a %s that the relay withholds is noticed, the repository is read anew, and the audit is equal",
  async (name, n, differs) => {
    await using world = await openWorld(`withheld_${name.replaceAll(" ", "_")}`, withheld(n));
    const first = await world.run({}, true);
    expect(first).toMatchObject({ exit: "done", snapshot: { resyncs: { count: 1, done: 0 } } });
    expect(await world.audit()).toMatchObject({ audited: 2, equal: 2 - differs.length, repos: differs });

    const second = await world.run(ONLY_RESYNCS, false);
    expect(second.lines.join("\n")).toContain("(resync) reads anew repositories of 1 account: chain 1");
    expect(second).toMatchObject({ exit: "done", snapshot: { resyncs: { count: 0, done: 1, first: [] } } });
    expect(await world.audit()).toMatchObject({ audited: 2, equal: 2 });
  },
  120_000,
);

/** Everything that the relay has, in order. */
function whole(alice: SteppingRepo, bob: SteppingRepo): Uint8Array[] {
  const frames = OPS.flatMap((_, step) => [alice.frame(step, 2 * step + 1), bob.frame(step, 2 * step + 2)]);
  return [...frames, bob.sync(100)];
}

test("issue 16.4: what an audit finds is requested with --repair, read anew, and then equal: removed, altered, added, brought back, and again", async () => {
  await using world = await openWorld("repaired", whole);
  expect(await world.run({}, true)).toMatchObject({ exit: "done", snapshot: { resyncs: { count: 0, done: 0 } } });
  const cli = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runProgram(args, { ...world.env, ...more });
  expect(await cli(["audit", "--all"])).toMatchObject({ code: 0 });
  expect(await cli(["resyncs"])).toMatchObject({ code: 0, stdout: "" });

  const { did, last } = world.alice;
  const where = `where did = '${did}' and collection = '${POST}' and rkey`;
  const another = "bafyreihffx5a2e7k5uwrmmgofbvzujc5cmw5h4espouwuxt3liqoflx3ee";
  const added = `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at) values ('${did}', '${POST}'`;
  const faults: readonly (readonly [string, string])[] = [
    ["removed", `delete from firehose.records ${where} = '3kaaaaaaaaa22'`],
    ["altered", `update firehose.records set cid = '${another}' ${where} = '3kaaaaaaaaa22'`],
    ["added", `${added}, '3kaaaaaaaaa2z', '${another}', '${last.rev}', 9, '{}', now())`],
    [
      "brought back",
      `update firehose.records set cid = '${another}', record = '{}', rev = '${world.alice.states[2]?.rev}' ${where} = '3kaaaaaaaaa2a'`,
    ],
    // What the resync before has proved is not believed.
    ["removed again", `delete from firehose.records ${where} = '3kaaaaaaaaa22'`],
    ["added again", `${added}, '3kaaaaaaaaa2y', '${another}', '${last.rev}', 9, '{}', now())`],
  ];
  for (const [index, [fault, sql]] of faults.entries()) {
    await world.query(sql);
    const audit = await cli(["audit", "--all", "--repair", "--json"]);
    expect({ fault, ...audit }).toMatchObject({
      fault,
      code: 3,
      stderr: expect.stringContaining("1 repository requested. A run called resync reads them anew"),
    });
    expect(JSON.parse(audit.stdout)).toMatchObject({ equal: 1, differing: 1, repos: [{ did }] });
    const listed = (await cli(["resyncs", "--json"])).stdout.trim().split("\n");
    expect(listed.map((line): unknown => JSON.parse(line))).toMatchObject([
      { did, reason: "audit", rev: null, state: "waiting", run: null },
    ]);
    const served = await cli(["run", "--until-done", "--json"], ONLY_RESYNCS);
    expect({ fault, ...served }).toMatchObject({ fault, code: 0 });
    expect(finalSnapshot(served.stdout).resyncs).toEqual({ count: 0, done: index + 1, first: [] });
    expect({ fault, ...(await cli(["audit", "--all"])) }).toMatchObject({ fault, code: 0 });
  }
}, 300_000);

test("issue 16.2: an account that is inactive gets its status, one that cannot be read becomes a dead event, and neither is asked for again", async () => {
  await using world = await openWorld("ends", whole);
  await world.run({}, true);
  const nobody = didOf("n");
  world.pds.unavailable.set(world.bob.did, "RepoDeactivated");
  const asked = await runProgram(["resync", "--dids", `${world.bob.did},${nobody}`], world.env);
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining("2 repositories requested") });
  const served = await runProgram(["run", "--until-done", "--json"], { ...world.env, ...ONLY_RESYNCS });
  expect(served).toMatchObject({ code: 3 });
  expect(finalSnapshot(served.stdout).resyncs).toEqual({ count: 0, done: 2, first: [] });
  expect(await world.query(`select active, status from firehose.repos where did = '${world.bob.did}'`)).toEqual([
    { active: false, status: "deactivated" },
  ]);
  expect(await world.query(`select reason from firehose.dead_events where did = '${nobody}'`)).toEqual([
    { reason: "no-did-document" },
  ]);
}, 120_000);
