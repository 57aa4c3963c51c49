/** The last audit of the database in words: page, text, report and verdict use the same ones. */
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import { confidenceText } from "@firehose-backfill/core/audit-text";
import { formatCount, formatTime } from "./format.ts";
import type { SnapshotAudit } from "./snapshot.ts";

const WHICH: Readonly<Record<AuditNote["repos"], string>> = {
  all: "all repositories",
  sample: "a random sample",
  named: "named repositories",
};

/** When, which, what was found, and what it says of the whole. */
export function auditText(audit: SnapshotAudit): string {
  const { equal, behind, differing, unreachable, inactive, confidence, collections } = audit;
  const found = [
    `${formatCount(equal)} equal`,
    ...counted(behind, "behind"),
    ...(differing === 0 ? [] : [`${formatCount(differing)} differing (${recordsText(audit)})`]),
    ...counted(unreachable, "unreachable"),
    ...counted(inactive, "inactive"),
  ];
  const by = audit.by === "command" ? "by the command" : "after a run";
  const only = collections === null ? "" : `, only ${collections.join(", ")}`;
  const says = confidence === null || confidence.sampled === 0 ? "" : `. ${confidenceText(confidence)}`;
  return `${formatTime(audit.at)} UTC, ${by}, ${WHICH[audit.repos]}${only}: ${found.join(", ")}${says}`;
}

/** `2 of 20 repositories differ (1 record missing, 0 extra, 1 with another CID)` */
export function differText(audit: SnapshotAudit): string {
  const { equal, behind, differing } = audit;
  const all = equal + behind + differing;
  const repositories = all === 1 ? "repository" : "repositories";
  const differ = differing === 1 ? "differs" : "differ";
  return `${formatCount(differing)} of ${formatCount(all)} ${repositories} ${differ} (${recordsText(audit)})`;
}

/** All repositories that have to be somewhere were unreachable, for example because the network or the directory was. */
export function isNothingCompared({ equal, behind, differing, unreachable }: SnapshotAudit): boolean {
  return equal + behind + differing === 0 && unreachable > 0;
}

function recordsText({ records: { missing, extra, other } }: SnapshotAudit): string {
  const records = missing === 1 ? "record" : "records";
  return `${formatCount(missing)} ${records} missing, ${formatCount(extra)} extra, ${formatCount(other)} with another CID`;
}

function counted(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${formatCount(count)} ${what}`];
}
