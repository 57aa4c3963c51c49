/**
 * Whether the differences of a copy that is behind are all because it is behind: the host is asked for the blocks that it has written since the copy's
 * revision. What was there before is no news, and the copy should have it, or not have it, all the same.
 */
import type { RepoAddress, RepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import type { Findings } from "./compare/findings.ts";

/** A copy that is further behind is told as behind, whatever else it may be. */
const MAX_BYTES = 8_388_608;

/**
 * How many of the differences were there already at that revision. 0 as well where that cannot be told: the host does not
 * answer, or gives more than we take.
 */
export async function countOlder(
  findings: Pick<Findings, "evidence">,
  since: string,
  { repos, address }: { readonly repos: RepoClient; readonly address: RepoAddress },
  signal: AbortSignal,
): Promise<number> {
  try {
    const { blocks } = await repos.getRepo(address, { maxBytes: MAX_BYTES, since }, signal);
    return findings.evidence.filter((cid) => cid !== null && blocks.get(cid) === null).length;
  } catch (error) {
    // Errors that know themselves are the host's trouble; any other is a defect of ours.
    if (error instanceof Error && "isRetryable" in error) return 0;
    throw error;
  }
}
