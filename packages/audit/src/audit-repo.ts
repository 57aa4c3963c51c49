/**
 * One repository: the newest signed commit is fetched, then the rows are read in one snapshot and compared with its tree. Both are of their own moment, so
 * what differs is looked at again when somebody may just be writing, and rows that are newer than the commit are not judged.
 */
import { MissingBlocksError } from "@firehose-backfill/repos/errors";
import { tidTimeMs } from "@firehose-backfill/core/syntax";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import type { Findings } from "./compare/findings.ts";
import { compareCopy, type CopyDeps } from "./compare-copy.ts";
import { type AccountDeps, openAccount, type Refusal, refusalOf } from "./open-account.ts";
import { NotWellError } from "./read-pace.ts";
import { type RepoVerdict, type Verdict, withoutRows } from "./verdict.ts";
import { countOlder } from "./written-since.ts";

export interface RepoAuditDeps extends AccountDeps, CopyDeps {}

/** null: stopped. `mayHelp`: it is unreachable, and asking again later may help. */
export type RepoAudit = { readonly verdict: RepoVerdict; readonly mayHelp: boolean } | null;

/** What was signed or applied so recently may be on its way. */
const FRESH_MS = 600_000;
/** Until it is looked at again. */
const SETTLE_MS = 5_000;
/** The commit moved on while we read, or production was not well: so often it is begun again. */
const MAX_TRIES = 5;

/** @throws SinkError */
export async function auditRepo(did: string, deps: RepoAuditDeps, signal: AbortSignal): Promise<RepoAudit> {
  const { clock } = deps;
  const first = await look(did, deps, null, signal);
  if (first === null || !isLook(first)) return conclude(did, first);
  const { findings, rev, copyRev } = first;
  if (findings.count === 0 && findings.newer === 0) return conclude(did, first);
  const isFresh = [rev, copyRev].some((one) => one !== null && clock.now() - timeOf(one) < FRESH_MS);
  if (!isFresh && findings.newer === 0) return conclude(did, first);
  if (isFresh) await clock.sleep(SETTLE_MS, signal);
  return conclude(did, await look(did, deps, copyRev, signal));
}

interface Look {
  readonly rev: string;
  readonly copyRev: string | null;
  readonly findings: Findings;
  /** Differences that are no news since the copy's revision. */
  readonly older: number;
}

/** @param seenRev the copy's revision at the look before: a commit that is older than that excuses nothing */
async function look(
  did: string,
  deps: RepoAuditDeps,
  seenRev: string | null,
  signal: AbortSignal,
): Promise<Look | Refusal | null> {
  const { collections, copy, pace, repos } = deps;
  for (let tries = 1; ; tries++) {
    const opened = await openAccount(did, deps, collections, signal);
    if (signal.aborted) return null;
    if ("kind" in opened) return opened;
    const { rev } = opened.commit;
    try {
      const excuse = seenRev === null || seenRev <= rev ? rev : null;
      const compared = await compareCopy(did, opened, { copy, pace, collections, newerThan: excuse }, signal);
      if (signal.aborted) return null;
      const { copyRev, findings } = compared;
      const isBehind = findings.count > 0 && copyRev !== null && copyRev < rev;
      const older = isBehind ? await countOlder(findings, copyRev, { repos, address: opened.address }, signal) : 0;
      return signal.aborted ? null : { rev, copyRev, findings, older };
    } catch (error) {
      if (error instanceof SinkError) throw error;
      if (signal.aborted) return null;
      const isPassing = error instanceof MissingBlocksError || error instanceof NotWellError;
      if (!isPassing || tries === MAX_TRIES) return refusalOf(error);
    }
  }
}

function conclude(did: string, found: Look | Refusal | null): RepoAudit {
  if (found === null) return null;
  if (!isLook(found)) return { verdict: withoutRows(did, found.kind, found.reason), mayHelp: found.mayHelp };
  const { rev, copyRev, findings } = found;
  const { missing, extra, other, isFull } = findings;
  const { verdict, reason } = judge(found);
  return { verdict: { did, verdict, rev, copyRev, missing, extra, other, isCut: isFull, reason }, mayHelp: false };
}

function judge({ rev, copyRev, findings, older }: Look): { readonly verdict: Verdict; readonly reason: string | null } {
  if (findings.count === 0) return { verdict: "equal", reason: null };
  if (copyRev === null) return { verdict: "behind", reason: "nothing of it was applied yet" };
  if (copyRev > rev) {
    const reason = "the host gives a commit that is older than what was applied: it may have gone back to a backup";
    return { verdict: "differing", reason };
  }
  if (copyRev === rev) return { verdict: "differing", reason: null };
  if (older === 0) return { verdict: "behind", reason: null };
  return {
    verdict: "differing",
    reason: `the copy is behind, too, but ${older} of these differences are older than its revision`,
  };
}

function isLook(found: Look | Refusal): found is Look {
  return "findings" in found;
}

function timeOf(rev: string): number {
  return tidTimeMs(Buffer.from(rev), 0);
}
