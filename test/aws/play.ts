/**
 * The test on AWS, from an empty account to an empty account: deploys a stage, runs a short range of a relay there and the
 * same range on this machine, compares the rows, and removes the stage. scripts/test-aws.ts gives it the real thing;
 * play.slow.test.ts plays it on the local host of functions.
 */
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { parseDatabaseUrl } from "@firehose-backfill/sink-postgres/database-url";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { runProgram, temporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";

export interface Play {
  readonly stage: string;
  readonly relayUrl: string;
  /** Of a database that AWS and this machine reach, and that has no schema `firehose`. */
  readonly databaseUrl: string;
  readonly collections: string | null;
  readonly from: string;
  readonly to: string;
  /** Credentials and region, for calls of the functions. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs SST's command. @throws Error when it fails */
  readonly sst: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<void>;
  readonly say: (line: string) => void;
  readonly lookEveryMs: number;
  readonly atMostMs: number;
}

/** @throws Error with what was wrong; what was made is removed then, too, or the error says what is left */
export async function play(options: Play): Promise<void> {
  await using database = await openTestDatabase(options.databaseUrl);
  await refuseUsedDatabase(database, options.databaseUrl);
  const failures: unknown[] = [];
  try {
    await deploy(options);
    const final = await runDeployed(options);
    await compareWithRunHere(options, database, final);
  } catch (error) {
    failures.push(error);
  }
  for (const clean of [
    () => options.sst(["remove", "--stage", options.stage], settingsOf(options)),
    () => dropSchema(database),
  ]) {
    try {
      await clean();
    } catch (error) {
      options.say(`Not removed, look at stage ${options.stage} yourself: npx sst remove --stage ${options.stage}`);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
  options.say("ok: the stage and the schema are removed");
}

function settingsOf({ relayUrl, collections }: Play): Record<string, string> {
  return {
    RELAY_URL: relayUrl,
    BACKFILL_DAYS: "0",
    BACKFILL_PROFILE: "fast",
    // A new account has too little to reserve.
    BACKFILL_RESERVE_CONCURRENCY: "false",
    ...(collections === null ? {} : { BACKFILL_COLLECTIONS: collections }),
  };
}

async function refuseUsedDatabase(database: TestDatabase, url: string): Promise<void> {
  const found = await database.query("select 1 from pg_namespace where nspname = 'firehose'", []);
  if (found.length > 0)
    throw new Error(
      `${parseDatabaseUrl(url).shown} has a schema "firehose" already; this test makes one and drops it. Give an empty database.`,
    );
}

async function dropSchema(database: TestDatabase): Promise<void> {
  await database.query("drop schema if exists firehose cascade", []);
}

async function deploy(options: Play): Promise<void> {
  const { stage, sst, databaseUrl, say } = options;
  await sst(["secret", "set", "DatabaseUrl", databaseUrl, "--stage", stage], settingsOf(options));
  await sst(["deploy", "--stage", stage], settingsOf(options));
  const { status } = await ask(options, ["status", "--json"]);
  if (status !== "none") throw new Error(`a new stage has a run already: ${status}`);
  say("ok: deployed, and control answers");
}

async function runDeployed(options: Play): Promise<Snapshot> {
  const { say, from, to } = options;
  await command(options, ["start", "--from", from, "--to", to]);
  await command(options, ["pause", "--now"]);
  await until(options, "paused", ({ status }) => status === "paused");
  say("ok: paused");
  await command(options, ["resume"]);
  const final = await until(options, "over", ({ status }) => !["running", "paused", "pausing"].includes(status));
  if (final.status !== "succeeded" || final.queue.deadLetters > 0)
    throw new Error(
      `the run ended as ${final.status} (${final.reason ?? "no reason"}), ${final.queue.deadLetters} dead letters`,
    );
  say(`ok: ${final.processed} events applied in ${Math.round(final.elapsedSeconds)} s, ${final.dead} dead`);
  return final;
}

/** The same positions, on this machine, into a Postgres of its own. */
async function compareWithRunHere(options: Play, database: TestDatabase, final: Snapshot): Promise<void> {
  await using folder = await temporaryFolder();
  await using postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  const { start, target } = final.cursor;
  if (start === null || target === null) throw new Error("the run does not say where it began and ended");
  const args = ["start", "--from", String(start.seq), "--to", String(target.seq), "--profile", "fast", "--until-done"];
  const env = { ...settingsOf(options), DATABASE_URL: postgres.databaseUrl, BACKFILL_DATA_DIR: `${folder.path}/data` };
  const { code, stderr } = await runProgram(args, env);
  if (code !== 0 && code !== 3) throw new Error(`the run on this machine ended with ${code}: ${stderr.slice(-2_000)}`);
  await using here = await openTestDatabase(postgres.databaseUrl);
  const [there, local] = [await rowsOf(database), await rowsOf(here)];
  const missing = [...local].filter((row) => !there.has(row));
  const surplus = [...there].filter((row) => !local.has(row));
  if (missing.length + surplus.length > 0)
    throw new Error(
      `rows differ: ${missing.length} missing on AWS, ${surplus.length} too many. First: ${missing[0] ?? surplus[0]}`,
    );
  if (there.size === 0) throw new Error("there are no rows to compare: give a range in which something happened");
  options.say(`ok: ${there.size} rows, the same as on this machine`);
}

async function rowsOf({ query }: TestDatabase): Promise<ReadonlySet<string>> {
  const rows = await query(
    "select concat_ws(' ', did, collection, rkey, coalesce(cid, '-'), rev, md5(record::text)) as row from firehose.records",
    [],
  );
  return new Set(rows.map(({ row }) => String(row)));
}

async function until(options: Play, what: string, isSo: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
  const giveUpAt = Date.now() + options.atMostMs;
  for (;;) {
    const snapshot = await ask(options, ["status", "--json"]);
    if (isSo(snapshot)) return snapshot;
    if (Date.now() > giveUpAt) throw new Error(`not ${what} in time: ${JSON.stringify(snapshot.verdict)}`);
    await new Promise((resolve) => setTimeout(resolve, options.lookEveryMs));
  }
}

async function ask(options: Play, args: readonly string[]): Promise<Snapshot> {
  const snapshot: Snapshot = JSON.parse(await command(options, args));
  return snapshot;
}

async function command({ stage, env }: Play, args: readonly string[]): Promise<string> {
  const all = [...args, "--function", `firehose-backfill-${stage}-control`];
  const { code, stdout, stderr } = await runProgram(all, env);
  if (code !== 0) throw new Error(`firehose-backfill ${all.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}
