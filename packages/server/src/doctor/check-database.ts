/** Checks the database: whether it can be reached, its version, and the privileges and the schema that a run needs. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import { postgresAccount } from "@firehose-backfill/embedded/postgres-account";
import { findPostgresBinaries } from "@firehose-backfill/embedded/postgres-binaries";
import type { SinkFindings, SinkKit } from "@firehose-backfill/sink/kit";
import { openSink } from "../open-sink.ts";
import { type Check, fail, isolated, ok, warn } from "./check.ts";
import type { Reading } from "./check-clock.ts";

type DatabaseSettings = Pick<Settings, "databaseUrl" | "throttleQuery" | "dbPoolSize">;

export interface DatabaseChecks {
  readonly checks: readonly Check[];
  readonly readings: readonly Reading[];
}

export async function checkDatabase(settings: DatabaseSettings, clock: Clock): Promise<DatabaseChecks> {
  const { databaseUrl } = settings;
  if (databaseUrl === null) return { checks: [await checkEmbedded()], readings: [] };
  const sink = openSink(databaseUrl);
  let server: string;
  try {
    const facts = await sink.verify();
    server = `Postgres ${facts.version} at ${facts.shown}`;
  } catch (error) {
    return { checks: [fail("database", messageOf(error), REACH_ADVICE)], readings: [] };
  }
  const reach = ok("database", server);
  const query = await isolated("throttle query", () => checkQuery(sink, settings.throttleQuery));
  const beganMs = clock.now();
  let found: SinkFindings;
  try {
    found = await sink.examine();
  } catch (error) {
    // The examination itself failed; what is known without it is still reported.
    const schema = fail("schema", messageOf(error), "fix what the database reports, then run doctor again");
    return { checks: [reach, schema, query], readings: [] };
  }
  const endedMs = clock.now();
  const reading = {
    name: "database",
    theirsMs: found.nowMs,
    oursMs: (beganMs + endedMs) / 2,
    toleranceMs: (endedMs - beganMs) / 2,
  };
  const checks = [checkServer(server, found), checkSchema(found), checkConnections(found, settings.dbPoolSize), query];
  return { checks, readings: [reading] };
}

const REACH_ADVICE = "check DATABASE_URL: postgres://user:password@host:5432/database?sslmode=require";

async function checkEmbedded(): Promise<Check> {
  try {
    await findPostgresBinaries(postgresAccount());
    return ok("database", "the embedded Postgres (set DATABASE_URL for your own)");
  } catch (error) {
    return fail("database", `no embedded Postgres: ${messageOf(error)}`, "set DATABASE_URL, or repeat npm ci");
  }
}

function checkServer(server: string, found: SinkFindings): Check {
  if (!found.isReadOnly) return ok("database", server);
  return fail("database", `${server} is read only`, "name the primary in DATABASE_URL, not a replica");
}

function checkSchema(found: SinkFindings): Check {
  const { schemaVersion, neededVersion, mismatch, problem } = found;
  if (problem !== null) return fail("schema", problem.finding, problem.advice);
  if (mismatch === null) return ok("schema", `version ${schemaVersion}`);
  if ((schemaVersion ?? 0) > neededVersion) return fail("schema", mismatch, "use the newer program everywhere");
  return schemaVersion === 0
    ? ok("schema", "none yet: the first start makes it")
    : warn("schema", `version ${schemaVersion}, of ${neededVersion}`, "doctor --fix migrates it; a start does, too");
}

function checkConnections({ freeConnections }: SinkFindings, poolSize: number): Check {
  const found = `${freeConnections} free, ${poolSize} wanted`;
  if (freeConnections > poolSize) return ok("connections", found);
  return warn("connections", found, "lower BACKFILL_DB_POOL_SIZE, or use the pooled address of the database");
}

async function checkQuery(sink: SinkKit, throttleQuery: string | null): Promise<Check> {
  if (throttleQuery === null) return ok("throttle query", "none: the run does not look at production's health");
  try {
    await sink.checkThrottleQuery(throttleQuery);
    const problem = await sink.whyNoAnswer(throttleQuery);
    if (problem !== null)
      return fail("throttle query", problem, "correct BACKFILL_THROTTLE_QUERY: without an answer no batch is applied");
    return ok("throttle query", "the database answers it");
  } catch (error) {
    return fail(
      "throttle query",
      messageOf(error),
      "correct BACKFILL_THROTTLE_QUERY: while it fails no batch is applied",
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error && "isRetryable" in error ? error.message : describeError(error);
}
