/** `audit` where this process reaches the database and the accounts' hosts itself. */
import { auditCopy, type AuditedRepos, type AuditProgress } from "@firehose-backfill/audit/audit-copy";
import type { AuditReport, RepoVerdict } from "@firehose-backfill/audit/report";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { borrowDatabase } from "./borrow-database.ts";
import { openAuditor } from "./open-auditor.ts";
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
  readonly onVerdict?: (verdict: RepoVerdict) => void;
  /** Called when the audit must wait because production is not healthy. */
  readonly onWaiting: (because: string) => void;
  /** The id of the database that is audited, once it is known. Left out: nobody keeps the result. */
  readonly onDatabase?: (id: string) => void;
  readonly signal: AbortSignal;
}

/** @throws SinkError, and an error that says why there is no database */
export async function auditHere(options: AuditHereOptions): Promise<AuditReport> {
  const { config, signal } = options;
  const { settings } = config;
  await using database = await borrowDatabase(settings, signal);
  const sink = openSink(database.databaseUrl);
  if (options.onDatabase !== undefined) {
    const { id } = await sink.identity();
    if (id !== null) options.onDatabase(id);
  }
  await using auditor = openAuditor({ ...options, settings, sink });
  return await auditCopy({ ...options, ...auditor });
}
