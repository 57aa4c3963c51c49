/**
 * Requests for resyncs are served by a run of their own, over repositories, at the pace of their database. One is open at a time, it takes a
 * thousand requests at most, and it marks them before it begins. They are removed when it has succeeded: then its last batch is applied. So a
 * process may die at any moment; what is marked with a run that never began is taken again. Called before each tick, it looks every minute or so.
 */
import { NameTakenError, RunInProgressError } from "@firehose-backfill/checkpoint/errors";
import { MAX_RESYNCS, type ResyncRequest } from "@firehose-backfill/checkpoint/resync-store";
import { isResyncRun, RESYNC_RUN, type Run } from "@firehose-backfill/checkpoint/run";
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";
import type { Config, ScopeSettings } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import { someAtOnce } from "@firehose-backfill/core/some-at-once";
import { ofResync } from "./resync-run.ts";
import type { ResyncDeps, ServeResyncs } from "./resyncs.ts";

/** Repositories of one run: what comes later waits until it is over. */
export const MOST_OF_A_RUN = 1_000;
/** While the run that made a request goes on, what is missing may still come, in a batch that is applied later. */
export const MAY_STILL_COME_MS = 60_000;
/** Between two of these runs, while others go on: an account whose commits are always wrong is not read all the time. */
export const LEAST_APART_MS = 600_000;
/** Requests that are removed at the same time: a thousand one after the other would take a tick's time. */
const REMOVED_AT_ONCE = 20;

/** `config`: the deployment's, for requests that no run has made. `everyMs`: how often it looks. */
export function serveResyncs({ config, everyMs }: { readonly config: Config; readonly everyMs: number }): ServeResyncs {
  let nextLookMs = Number.NEGATIVE_INFINITY;
  let apartUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async look(deps, open) {
      const nowMs = deps.clock.now();
      const own = open.find(isResyncRun);
      if (own !== undefined) {
        // One is enough: what is asked for meanwhile waits for the next one, and is looked for as soon as this one is over.
        apartUntilMs = own.createdAtMs + LEAST_APART_MS;
        nextLookMs = nowMs;
        return null;
      }
      if (nowMs < nextLookMs) return null;
      nextLookMs = nowMs + everyMs;
      const last = open.at(-1) ?? (await deps.store.currentRun());
      const paceIds = new Set([...open.map(({ paceId }) => paceId), last?.paceId ?? DEFAULT_PACE_ID, DEFAULT_PACE_ID]);
      for (const paceId of paceIds) {
        const requests = await stillToServe(deps, paceId, open);
        if (requests.length === 0) continue;
        if (open.length > 0 && nowMs < apartUntilMs) return null;
        // The run belongs to the database of that pace. Without one, nothing is bound to a database yet.
        const ofPace = open.findLast((run) => run.paceId === paceId) ?? last;
        const begun = await begin(deps, { paceId, requests, last: ofPace, config });
        if (begun !== null) return begun;
      }
      return null;
    },
  };
}

/** Removes what a run has served. What a run had taken that was cancelled waits until it is asked for again. */
async function stillToServe(
  { store, clock }: ResyncDeps,
  paceId: string,
  open: readonly Run[],
): Promise<readonly ResyncRequest[]> {
  const { first: found } = await store.listResyncs(paceId, 1);
  if (found.length === 0) return [];
  const { first: requests } = await store.listResyncs(paceId, MAX_RESYNCS);
  const takers = new Map<string, Run | null>();
  const nowMs = clock.now();
  const due: ResyncRequest[] = [];
  const served: { readonly did: string; readonly takenBy: string }[] = [];
  for (const request of requests) {
    const { takenBy, runId, did, atMs } = request;
    if (takenBy === undefined) {
      const isAnyOpen = open.some((run) => run.runId === runId);
      if (!isAnyOpen || atMs + MAY_STILL_COME_MS <= nowMs) due.push(request);
      continue;
    }
    const taker = takers.get(takenBy) ?? (await store.getRun(takenBy));
    takers.set(takenBy, taker);
    if (taker === null) due.push(request);
    else if (taker.status === "succeeded") served.push({ did, takenBy });
  }
  await someAtOnce(served, REMOVED_AT_ONCE, ({ did, takenBy }) => store.endResync(paceId, did, takenBy));
  return due;
}

/**
 * Its last batch is applied. Where a process dies before this is done, or the table does not answer, the next look does it. So it never
 * rejects: whoever waits for the end of the run must hear of it.
 */
export async function endServed({ store, log }: Pick<ResyncDeps, "store" | "log">, run: Run): Promise<void> {
  try {
    const scope = await store.getScope(run.runId);
    const dids = scope?.dids ?? [];
    await someAtOnce(dids, REMOVED_AT_ONCE, (did) => store.endResync(run.paceId, did, run.runId));
  } catch (error) {
    log(`[BACKFILL] Requests that run ${run.runId} has served could not be removed now: ${describeError(error)}`);
  }
}

interface Work {
  readonly paceId: string;
  readonly requests: readonly ResyncRequest[];
  /** Whose pace the new run keeps to. */
  readonly last: Run | null;
  readonly config: Config;
}

/** Those that have the filters of the first one. null: they were withdrawn, or another process was faster. */
async function begin(deps: ResyncDeps, { paceId, requests, last, config }: Work): Promise<Run | null> {
  const { store, log } = deps;
  const filtersOf = ({ runId, collections }: ResyncRequest): string => JSON.stringify(collections ?? runId ?? null);
  // The oldest ones: in the order of DIDs, those at its end might wait for ever.
  const oldestFirst = requests.toSorted((a, b) => a.atMs - b.atMs);
  const [first] = oldestFirst;
  if (first === undefined) return null;
  const wanted = oldestFirst
    .filter((request) => filtersOf(request) === filtersOf(first))
    .map(({ did }) => did)
    .slice(0, MOST_OF_A_RUN);
  const scope = await scopeOf(deps, first, config);
  const run = ofResync({ dids: wanted, scope, last, config, nowMs: deps.clock.now(), random: deps.random });
  const { collections } = first;
  const of = collections === undefined ? {} : { collections };
  const dids = await store.takeResyncs(paceId, { dids: wanted, ...of }, run.runId);
  if (dids.length === 0) return null;
  try {
    const begun = await store.createRun({ ...run, scope: { ...run.scope, dids } });
    log(`[BACKFILL] Run ${begun.runId} (${RESYNC_RUN}) reads anew ${run.source.host}: ${reasonsOf(requests, dids)}`);
    return begun;
  } catch (error) {
    // Another process began one. What is marked with this run, which does not exist, is taken by the next one.
    if (error instanceof NameTakenError || error instanceof RunInProgressError) return null;
    throw error;
  }
}

async function scopeOf(
  { store }: ResyncDeps,
  { runId, collections }: ResyncRequest,
  { settings }: Config,
): Promise<ScopeSettings> {
  const ofRun = runId === undefined ? null : await store.getScope(runId);
  const scope = ofRun ?? settings;
  return collections === undefined ? scope : { ...scope, collections };
}

function reasonsOf(requests: readonly ResyncRequest[], dids: readonly string[]): string {
  const taken = new Set(dids);
  const reasons = Map.groupBy(
    requests.filter(({ did }) => taken.has(did)),
    ({ reason }) => reason,
  );
  return [...reasons].map(([reason, each]) => `${reason} ${each.length}`).join(", ");
}
