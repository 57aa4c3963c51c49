/** All requests for resyncs of the database that the runs write, with what became of each. */
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";
import { MAX_RESYNCS, type ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";

export interface ListedResync {
  readonly did: string;
  readonly reason: string;
  readonly rev: string | null;
  readonly at: string;
  /** `held`: the run that had taken it was cancelled, so it waits until it is requested again. */
  readonly state: "waiting" | "reading" | "held";
  /** The run that has taken it. */
  readonly run: string | null;
}

export interface ListedResyncs {
  /** Read since there are requests. */
  readonly done: number;
  readonly requests: readonly ListedResync[];
}

type Deps = {
  readonly store: Pick<ResyncStore, "listResyncs"> & Pick<RunStore, "openRuns" | "currentRun" | "getRun">;
};

export async function listResyncs({ store }: Deps): Promise<ListedResyncs> {
  const open = await store.openRuns();
  const last = open.length === 0 ? await store.currentRun() : null;
  const paceIds = new Set([...open.map(({ paceId }) => paceId), last?.paceId ?? DEFAULT_PACE_ID, DEFAULT_PACE_ID]);
  const requests: ListedResync[] = [];
  let done = 0;
  const states = new Map<string, ListedResync["state"]>();
  const stateOf = async (takenBy: string | undefined): Promise<ListedResync["state"]> => {
    if (takenBy === undefined) return "waiting";
    const known = states.get(takenBy);
    if (known !== undefined) return known;
    const run = await store.getRun(takenBy);
    // What a run had taken that has succeeded is removed with the next look.
    const state = run === null ? "waiting" : run.status === "cancelled" ? "held" : "reading";
    states.set(takenBy, state);
    return state;
  };
  for (const paceId of paceIds) {
    const found = await store.listResyncs(paceId, MAX_RESYNCS);
    done += found.done;
    for (const { did, reason, rev, atMs, takenBy } of found.first) {
      const at = new Date(atMs).toISOString();
      requests.push({ did, reason, rev, at, state: await stateOf(takenBy), run: takenBy ?? null });
    }
  }
  return { done, requests };
}
