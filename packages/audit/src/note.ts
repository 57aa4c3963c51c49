/** From verdicts to what is kept of an audit. Verdicts may come in several parts: a function that lives for a minute does not see them all. */
import {
  type AuditConfidence,
  type AuditedBy,
  type AuditNote,
  boundAuditNote,
  MOST_NOT_EQUAL,
  type NotEqual,
  type RecordCounts,
} from "@firehose-backfill/core/audit-note";
import type { AuditReport, Counts } from "./report.ts";
import type { RepoVerdict, Verdict } from "./verdict.ts";

/** What was found until now; plain data of bounded size. */
export interface Tally {
  readonly counts: Counts;
  readonly records: RecordCounts;
  readonly first: readonly NotEqual[];
}

export const EMPTY_TALLY: Tally = {
  counts: { equal: 0, behind: 0, differing: 0, unreachable: 0, inactive: 0 },
  records: { missing: 0, extra: 0, other: 0 },
  first: [],
};

/** What matters most comes first, because not all can be kept. */
const WEIGHT: Readonly<Record<string, number>> = { differing: 0, behind: 1, unreachable: 2, inactive: 3 };

export function addVerdict({ counts, records, first }: Tally, repo: RepoVerdict): Tally {
  const { verdict } = repo;
  const missing = records.missing + repo.missing.length;
  const extra = records.extra + repo.extra.length;
  const other = records.other + repo.other.length;
  return {
    counts: { ...counts, [verdict]: counts[verdict] + 1 },
    records: { missing, extra, other },
    first: verdict === "equal" ? first : inOrder([...first, notEqualOf(repo)]),
  };
}

/** null: it was stopped, and a part of an audit says nothing that should stand until the next one. */
export function noteOfReport(
  report: AuditReport,
  of: { readonly atMs: number; readonly by: AuditedBy },
): AuditNote | null {
  if (!report.isComplete) return null;
  const sum = (key: keyof RecordCounts) => report.repos.reduce((all, repo) => all + repo[key].length, 0);
  const tally = {
    counts: countsOf(report),
    records: { missing: sum("missing"), extra: sum("extra"), other: sum("other") },
    first: inOrder(report.repos.map(notEqualOf)),
  };
  const { repos, collections } = report.scope;
  return noteOf(tally, { ...of, repos, collections, confidence: report.confidence });
}

export function noteOf(
  { counts, records, first }: Tally,
  about: Pick<AuditNote, "atMs" | "by" | "repos" | "collections"> & { readonly confidence: AuditConfidence | null },
): AuditNote {
  return boundAuditNote({ ...about, ...counts, records, first });
}

function countsOf({ equal, behind, differing, unreachable, inactive }: Record<Verdict, number>): Counts {
  return { equal, behind, differing, unreachable, inactive };
}

function notEqualOf({ did, verdict, reason, missing, extra, other }: RepoVerdict): NotEqual {
  return { did, verdict, reason, missing: missing.length, extra: extra.length, other: other.length };
}

function inOrder(repos: readonly NotEqual[]): readonly NotEqual[] {
  return repos
    .toSorted((left, right) => (WEIGHT[left.verdict] ?? 9) - (WEIGHT[right.verdict] ?? 9))
    .slice(0, MOST_NOT_EQUAL);
}
