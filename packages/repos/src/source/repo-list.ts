/** The repositories of a run, one after the other, from a place that is stored: a page, and how many of it are taken. */
import type { ListRepos, RepoPage } from "../list-repos.ts";
import type { ListPlace } from "./state.ts";

export interface RepoList {
  /** null: that was the last one. The place moves with it. @throws whatever asking throws; the same call may be made again */
  next(signal: AbortSignal): Promise<string | null>;
  /** null: all are taken. */
  place(): ListPlace | null;
}

/**
 * Hosts name a repository for each collection that it has, and several hosts name the same ones: `seen` holds those that came, as many as it may. A
 * repository that comes again is walked again, which changes nothing.
 */
export function openRepoList(
  list: ListRepos,
  from: ListPlace | null,
  options: { readonly seen: Set<string>; readonly maxSeen: number; readonly onProblem: (text: string) => void },
): RepoList {
  const { seen, maxSeen, onProblem } = options;
  let place = from;
  let page: RepoPage | null = null;

  const take = (did: string): boolean => {
    if (seen.has(did)) return false;
    if (seen.size < maxSeen) seen.add(did);
    return true;
  };

  return {
    place: () => place,
    async next(signal) {
      while (place !== null) {
        if (page === null) {
          page = await list(place.cursor, signal);
          if (page.problem !== null) onProblem(page.problem);
        }
        const { dids, cursor } = page;
        while (place.taken < dids.length) {
          const did: string | undefined = dids[place.taken];
          place = { cursor: place.cursor, taken: place.taken + 1 };
          if (did !== undefined && take(did)) return did;
        }
        page = null;
        place = cursor === null ? null : { cursor, taken: 0 };
      }
      return null;
    },
  };
}
