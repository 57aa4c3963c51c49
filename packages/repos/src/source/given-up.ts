/** Repositories that are given up for a reason that no host has part in. */
import type { RepoInWork } from "./state.ts";

/** Reasons are stored and counted: never rename one. */
export interface GivenUp {
  readonly reason: string;
  readonly error: string;
}

/** Of a repository for which the state has no room, even alone. */
export function tooLong({ did, after }: RepoInWork): GivenUp {
  if (after === null)
    return {
      reason: "did-too-long",
      error: `its DID of ${did.length} characters is too long for what a run remembers`,
    };
  const error = `its DID of ${did.length} characters and its key of ${after.length} are together too long for what a run remembers; it was read up to that key`;
  return { reason: "key-too-long", error };
}
