/** What a run would ask of hosts, from the sizes of some repositories and the hosts of some accounts. Pure. */
import type { SurveyedHost } from "@firehose-backfill/source/survey";
import type { RepoSize } from "./choose-way.ts";

const MOST_NAMED = 10;
/** Blocks a request of a walk; a record brings a third of a node with it. */
const BLOCKS_A_REQUEST = 200;
const BLOCKS_A_RECORD = 1.35;
/** The proof, and nodes that are needed before there is enough to ask for. */
const REQUESTS_BEFORE = 3;

export function requestsOf({ records, wanted }: RepoSize, isArchive: boolean): number {
  if (records === 0) return 1;
  if (isArchive) return REQUESTS_BEFORE;
  return wanted === 0 ? 2 : REQUESTS_BEFORE + Math.ceil((wanted * BLOCKS_A_RECORD) / BLOCKS_A_REQUEST);
}

/** Those with the most; `hosts`: one entry an account that was looked up. */
export function hostsOf(
  hosts: readonly string[],
  { known, requestsEach }: { readonly known: number; readonly requestsEach: number },
): readonly SurveyedHost[] {
  const counts = new Map<string, number>();
  for (const host of hosts) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts]
    .map(([host, count]) => {
      const repositories = Math.round((count / hosts.length) * known);
      return { host, repositories, requests: Math.round(repositories * requestsEach) };
    })
    .sort((a, b) => b.requests - a.requests)
    .slice(0, MOST_NAMED);
}
