/** An audit as text for people. Everything that came from the network or the tables is escaped. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { confidenceText } from "@firehose-backfill/core/audit-text";
import type { AuditReport, RepoVerdict } from "./report.ts";
import { VERDICTS } from "./verdict.ts";

const SHOWN_REPOS = 20;
const SHOWN_PATHS = 10;
const KINDS = ["missing", "extra", "other"] as const;

export function renderAudit(report: AuditReport): readonly string[] {
  const { audited, repos, scope, isComplete, after } = report;
  const which = { all: "all of the copy", sample: "a random sample", named: "those that were named" }[scope.repos];
  const more = repos.length - SHOWN_REPOS;
  return [
    `${audited.toLocaleString("en-US")} ${audited === 1 ? "repository" : "repositories"} audited (${which}). ${proved(scope.collections)}`,
    ...VERDICTS.map((verdict) => `  ${verdict.padEnd(12)} ${report[verdict].toLocaleString("en-US")}`),
    ...repos.slice(0, SHOWN_REPOS).flatMap(repoLines),
    ...(more > 0 ? ["", `… and ${more} more that are not equal; --json lists up to 1,000.`] : []),
    ...says(report),
    ...(isComplete ? [] : ["", stopped(scope.repos, after)]),
  ];
}

/** What it means for the whole copy; an audit that compared nothing must not look like a good one. */
function says({ audited, equal, behind, differing, unreachable, confidence, scope, isComplete, after }: AuditReport) {
  // Whoever continues with --after may have been at the end already.
  if (audited === 0 && scope.repos !== "named" && isComplete && after === null)
    return ["", "This database has no repositories: nothing was compared. Is DATABASE_URL the right one?"];
  if (equal + behind + differing === 0 && unreachable > 0)
    return ["", "No repository could be compared, so this says nothing about the copy."];
  return confidence === null ? [] : ["", confidenceText(confidence)];
}

function proved(collections: readonly string[] | null): string {
  if (collections === null) return "Equal means: all records of the repository, no others, each with its CID.";
  const names = escapeForLog(collections.slice(0, 10).join(", "));
  const more = collections.length > 10 ? ` and ${collections.length - 10} more` : "";
  return `Compared: ${names}${more}. Nothing is said of other collections.`;
}

function stopped(which: AuditReport["scope"]["repos"], after: string | null): string {
  if (which === "sample")
    return "It was stopped. A part of a sample says nothing about the whole copy: repeat the command.";
  const option = after === null ? "" : ` with --after ${escapeForLog(after)}`;
  return `It was stopped. To continue, repeat the command${option}.`;
}

function repoLines(repo: RepoVerdict): readonly string[] {
  const { did, verdict, rev, copyRev, reason, isCut } = repo;
  const revs =
    rev === null ? "" : ` at revision ${escapeForLog(rev)}; the copy is at ${escapeForLog(copyRev ?? "none")}`;
  const why = reason === null ? "" : `: ${escapeForLog(reason, 300)}`;
  return [
    "",
    `${verdict}  ${escapeForLog(did)}${revs}${why}`,
    ...KINDS.flatMap((kind) => pathLines(kind, repo[kind])),
    ...(isCut ? ["  There may be more."] : []),
  ];
}

function pathLines(kind: (typeof KINDS)[number], paths: readonly string[]): readonly string[] {
  const more = paths.length - SHOWN_PATHS;
  return [
    ...paths.slice(0, SHOWN_PATHS).map((path) => `  ${kind.padEnd(8)} ${escapeForLog(path)}`),
    ...(more > 0 ? [`  ${kind.padEnd(8)} … and ${more} more`] : []),
  ];
}
