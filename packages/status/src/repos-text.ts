/** Repositories and their hosts in words. Pure; every view uses the same ones. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { SourceHost } from "@firehose-backfill/source/source-hosts";
import { formatCount, formatTime } from "./format.ts";
import type { SnapshotRepos } from "./snapshot.ts";

/** `120 of 1,000 done, 4 in work, 2 wait for their hosts, 1 failed` */
export function reposText({ known, done, inWork, deferred, failed }: SnapshotRepos): string {
  return [
    `${formatCount(done)} of ${formatCount(known)} done`,
    `${formatCount(inWork)} in work`,
    `${formatCount(deferred)} ${deferred === 1 ? "waits for its host" : "wait for their hosts"}`,
    `${formatCount(failed)} failed`,
  ].join(", ");
}

/** `1,200 looked up, 3 without an answer` */
export function handlesText({ done, failed }: SnapshotRepos): string {
  return `${formatCount(done)} looked up, ${formatCount(failed)} without an answer`;
}

/** `pds.example:443: 120 requests, 3 errors, waits until 2026-01-01 00:00:00 UTC` */
export function hostText(host: SourceHost): string {
  return `${escapeForLog(host.host)}: ${hostCounts(host)}`;
}

export function hostCounts({ requests, errors, waitingUntil }: SourceHost): string {
  const counts = `${formatCount(requests)} ${requests === 1 ? "request" : "requests"}, ${formatCount(errors)} ${errors === 1 ? "error" : "errors"}`;
  return waitingUntil === null ? counts : `${counts}, waits until ${formatTime(waitingUntil)} UTC`;
}
