/** What an audit says of one repository. Words that scripts read: never rename one. */
import type { Differences } from "./compare/findings.ts";

export const VERDICTS = ["equal", "behind", "differing", "unreachable", "inactive"] as const;

/**
 * `equal`: the rows make the tree that the account has signed. `behind`: they do not, and the newest commit of which something was applied is older than
 * the one that was signed. `differing`: they do not, and it is not older. `unreachable`: nothing can be said. `inactive`: the account has no repository
 * that anybody may read.
 */
export type Verdict = (typeof VERDICTS)[number];

export interface RepoVerdict extends Differences {
  readonly did: string;
  readonly verdict: Verdict;
  /** Of the signed commit that the rows were compared with; null: there was none. */
  readonly rev: string | null;
  /** The newest one of which something was applied; null: nothing was, or it was not looked at. */
  readonly copyRev: string | null;
  /** More may differ than is listed: the comparison ended at a thousand. */
  readonly isCut: boolean;
  /** Why, in a sentence; null where the verdict says it all. */
  readonly reason: string | null;
}

const NOTHING: Differences = { missing: [], extra: [], other: [] };

export function withoutRows(did: string, verdict: Verdict, reason: string): RepoVerdict {
  return { did, verdict, rev: null, copyRev: null, ...NOTHING, isCut: false, reason };
}
