/** `audit` where this process reaches the database and the accounts' hosts itself. */
import { auditCopy, type AuditedRepos, type AuditProgress } from "@firehose-backfill/audit/audit-copy";
import { createReadPace } from "@firehose-backfill/audit/read-pace";
import type { AuditReport } from "@firehose-backfill/audit/report";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { VERSION } from "@firehose-backfill/core/version";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import { borrowDatabase } from "./borrow-database.ts";
import { openSink } from "./open-sink.ts";

export interface AuditHereOptions {
  readonly config: Config;
  readonly repositories: AuditedRepos;
  /** The collections to compare. Empty: all. */
  readonly collections: readonly string[];
  readonly after: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onProgress: (progress: AuditProgress) => void;
  /** Called when the audit must wait because production is not healthy. */
  readonly onWaiting: (because: string) => void;
  readonly signal: AbortSignal;
}

/** Rows of the copy that are compared in a second. On average each is in another page, so a faster audit would keep the disk busy. */
const ROWS_PER_SECOND = 5_000;
const MAX_HOSTS = 10_000;
/** If a host asks to wait longer than this, its accounts are skipped, and tried once more at the end. */
const MAX_HOST_WAIT_MS = 30_000;

/** @throws SinkError, and an error that says why there is no database */
export async function auditHere(options: AuditHereOptions): Promise<AuditReport> {
  const { config, clock, random, signal } = options;
  const { settings } = config;
  const { plcUrl, throttleQuery, hostRate } = settings;
  await using database = await borrowDatabase(settings, signal);
  await using copy = openSink(database.databaseUrl).openCopy({ clock, throttleQuery });
  const agent = userAgent({ version: VERSION, contact: settings.contact });
  using directory = openDidClient({ clock, random, userAgent: agent, resolveName: systemNames, plcUrl });
  using hosts = createPoliteClient({
    clock,
    random,
    resolveName: systemNames,
    userAgent: agent,
    // If the directory is on this machine, the accounts' hosts may be on it, too.
    rules: { allowLoopback: plcUrl.startsWith("http:") },
    requestsPerSecond: hostRate,
    states: hostTable(MAX_HOSTS),
    maxWaitMs: MAX_HOST_WAIT_MS,
  });
  const pace = createReadPace({
    clock,
    health: () => copy.health(),
    rowsPerSecond: ROWS_PER_SECOND,
    onWaiting: options.onWaiting,
  });
  const { resolveDid } = directory;
  return await auditCopy({ ...options, copy, pace, resolveDid, repos: createRepoClient(hosts) });
}
