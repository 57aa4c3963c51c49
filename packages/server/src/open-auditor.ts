/** What an audit asks: the copy, the directory and the accounts' hosts, politely and at a bounded pace. For the command, a local process and a function. */
import type { RepoAuditDeps } from "@firehose-backfill/audit/audit-repo";
import { createReadPace } from "@firehose-backfill/audit/read-pace";
import { AUDITED_ROWS_PER_SECOND } from "@firehose-backfill/core/audit-note";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { VERSION } from "@firehose-backfill/core/version";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import type { SinkKit } from "@firehose-backfill/sink/kit";

export interface AuditorOptions {
  readonly settings: Pick<Settings, "plcUrl" | "throttleQuery" | "hostRate" | "contact">;
  readonly sink: Pick<SinkKit, "openCopy">;
  /** Compared are these alone; empty: all. */
  readonly collections: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  /** Production is not well: the audit waits. */
  readonly onWaiting: (because: string) => void;
}

export type Auditor = RepoAuditDeps & AsyncDisposable;

const MAX_HOSTS = 10_000;
/** A host that asks to be left alone for longer is passed over, and asked once more at the end. */
const MAX_HOST_WAIT_MS = 30_000;

/** Opens one connection to the database with the first question. */
export function openAuditor({ settings, sink, collections, clock, random, onWaiting }: AuditorOptions): Auditor {
  const { plcUrl, throttleQuery, hostRate, contact } = settings;
  const stack = new AsyncDisposableStack();
  const copy = stack.use(sink.openCopy({ clock, throttleQuery }));
  const common = { clock, random, resolveName: systemNames, userAgent: userAgent({ version: VERSION, contact }) };
  const { resolveDid, earlierKeys } = stack.use(openDidClient({ ...common, plcUrl }));
  const hosts = stack.use(
    createPoliteClient({
      ...common,
      // A directory on this machine is a network of one's own, down to the accounts' hosts.
      rules: { allowLoopback: plcUrl.startsWith("http:") },
      requestsPerSecond: hostRate,
      states: hostTable(MAX_HOSTS),
      maxWaitMs: MAX_HOST_WAIT_MS,
    }),
  );
  const pace = createReadPace({
    clock,
    health: () => copy.health(),
    rowsPerSecond: AUDITED_ROWS_PER_SECOND,
    onWaiting,
  });
  return {
    clock,
    collections,
    copy,
    pace,
    resolveDid,
    earlierKeys,
    repos: createRepoClient(hosts),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
