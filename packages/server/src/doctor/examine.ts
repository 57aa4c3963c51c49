/** The doctor: checks everything that a run depends on, without a run, and says what to do. It changes nothing unless asked. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config, Settings } from "@firehose-backfill/core/config/settings";
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import { VERSION } from "@firehose-backfill/core/version";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { type Tidying, TOMBSTONE_DAYS } from "@firehose-backfill/sink/tidying";
import { openDesk, openSink } from "../open-sink.ts";
import { readsRelay } from "../start-stack.ts";
import { type Check, fail, isolated, ok } from "./check.ts";
import { checkClock, type Reading } from "./check-clock.ts";
import { checkDatabase } from "./check-database.ts";
import { checkDataDir, checkMemory, checkNode, checkPort } from "./check-machine.ts";
import { checkRelay } from "./check-relay.ts";
import { checkRepos } from "./check-repos.ts";
import { checkAudit } from "./check-audit.ts";
import { checkQueues, checkTable } from "./check-services.ts";
import { makeIndexes } from "./make-indexes.ts";
import { type TombstoneBound, tombstoneBound } from "./tombstone-bound.ts";

export interface DoctorOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Migrates the schema and removes old tombstones. */
  readonly fix: boolean;
  /** Sets of optional indexes to make. */
  readonly indexes?: readonly string[];
  readonly process: {
    readonly version: string;
    readonly canCollect: boolean;
    readonly rssBytes: number;
    readonly constrainedBytes: number;
  };
  readonly signal: AbortSignal;
  /** How long to wait for a frame of the relay. Default: 10,000. */
  readonly relayListenMs?: number;
}

/** Never rejects because of a finding. @throws UsageError for a set of indexes that does not exist */
export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const { config, clock, signal } = options;
  const { settings } = config;
  const fixed =
    options.fix && settings.databaseUrl !== null ? [await fixDatabase(settings.databaseUrl, settings, options)] : [];
  const indexes = await makeIndexes(settings, options.indexes ?? []);
  const agent = userAgent({ version: VERSION, contact: settings.contact });
  const [relay, repos, database, dataDir, port, queues, table] = await Promise.all([
    readingsOf("relay", async () => {
      const { check, readings } = await checkRelay({
        relayUrl: settings.relayUrl,
        unwishedSample: unwishedSample(config),
        userAgent: agent,
        clock,
        fetch: options.fetch,
        signal,
        ...(options.relayListenMs === undefined ? {} : { listenMs: options.relayListenMs }),
      });
      return { checks: [check], readings };
    }),
    readingsOf("repositories", async () => ({
      checks: await checkRepos({
        settings,
        clock,
        random: Math.random,
        userAgent: agent,
        resolveName: systemNames,
        signal,
      }),
      readings: [],
    })),
    readingsOf("database", () => checkDatabase(settings, clock)),
    isolated("data folder", () => checkDataDir(settings.dataDir)),
    isolated("process", () => checkPort(settings)),
    readingsOf("queue", async () => ({ checks: await checkQueues(settings), readings: [] })),
    isolated("table", () => checkTable(settings)),
  ]);
  return [
    checkNode(options.process.version, options.process.canCollect),
    ok("configuration", `profile ${settings.profile}, ${settings.batchSize} events each ${settings.batchDelayMs} ms`),
    ...(!readsRelay(settings.source) && settings.relayUrl === null ? [] : relay.checks),
    ...repos.checks,
    ...checkAudit(settings),
    ...fixed,
    ...(indexes === null ? [] : [indexes]),
    ...database.checks,
    checkClock([...database.readings, ...relay.readings]),
    dataDir,
    checkMemory(settings, options.process),
    port,
    ...queues.checks,
    table,
  ];
}

interface Examined {
  readonly checks: readonly Check[];
  readonly readings: readonly Reading[];
}

/** Like `isolated`, for a check with several lines. */
async function readingsOf(name: string, look: () => Promise<Examined>): Promise<Examined> {
  let examined: Examined | null = null;
  const failed = await isolated(name, async () => {
    examined = await look();
    return ok(name, "");
  });
  return examined ?? { checks: [failed], readings: [] };
}

async function fixDatabase(
  databaseUrl: string,
  settings: Pick<Settings, "table" | "dataDir">,
  options: DoctorOptions,
): Promise<Check> {
  try {
    const sink = openSink(databaseUrl);
    const { from, to } = await sink.migrate();
    await openDesk(databaseUrl).indexes.makeMissing();
    const tombstones = await fixTombstones(sink.tidying, await tombstoneBound(settings), options);
    const schema = from === to ? `the schema is at version ${to}` : `the schema went from version ${from} to ${to}`;
    return ok("fixed", `${schema}; ${tombstones}`);
  } catch (error) {
    return fail(
      "fixed",
      error instanceof Error ? error.message : String(error),
      "see the lines about the database below",
    );
  }
}

async function fixTombstones(
  tidying: Tidying,
  bound: TombstoneBound,
  { clock, signal }: DoctorOptions,
): Promise<string> {
  if (bound.kind === "none") return `old tombstones stay: ${bound.because}`;
  const below = bound.seq === null ? {} : { beforeSeq: bound.seq };
  const removed = await tidying.removeOldTombstones({ clock, ...below, signal });
  const where = bound.seq === null ? "" : ` below the applied cursor of the run that is open (seq ${bound.seq})`;
  return `${removed} tombstones older than ${TOMBSTONE_DAYS} days${where} are removed`;
}
