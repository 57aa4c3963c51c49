/** Requests that repositories are read anew, for whoever has found that one is wrong: an audit, an operator, a redrive of one that could not be read. */
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";
import type { RequestOutcome, ResyncReason, ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import { isResyncRun } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";
import { someAtOnce } from "@firehose-backfill/core/some-at-once";

export interface PlaceResyncs {
  readonly dids: readonly string[];
  readonly reason: ResyncReason;
  /** The run whose filters hold for the reading. Left out: the last one's. */
  readonly runId?: string;
  /** Read these alone; an empty list: all. Left out: those of the run. */
  readonly collections?: readonly string[];
}

export interface PlacedResyncs {
  readonly placed: number;
  /** There were requests already, which stay as they are. */
  readonly there: number;
  /** Not stored: there are as many as may be. */
  readonly full: number;
  /** Not stored: their DIDs are too long. */
  readonly bad: number;
}

interface Deps {
  readonly store: Pick<ResyncStore, "requestResync"> & Pick<RunStore, "openRuns" | "currentRun">;
  readonly clock: Clock;
}

export async function placeResyncs({ store, clock }: Deps, wanted: PlaceResyncs): Promise<PlacedResyncs> {
  const { reason, collections } = wanted;
  const last = (await store.openRuns()).findLast((run) => !isResyncRun(run)) ?? (await store.currentRun());
  const paceId = last?.paceId ?? DEFAULT_PACE_ID;
  const runId = wanted.runId ?? last?.runId;
  const atMs = clock.now();
  const of = { ...(runId === undefined ? {} : { runId }), ...(collections === undefined ? {} : { collections }) };
  const outcomes = await someAtOnce([...new Set(wanted.dids)], PLACED_AT_ONCE, (did) =>
    store.requestResync(paceId, { did, reason, rev: null, atMs, ...of }),
  );
  const count = (outcome: RequestOutcome): number => outcomes.filter((each) => each === outcome).length;
  return { placed: count("placed"), there: count("there"), full: count("full"), bad: count("bad-did") };
}

/** A thousand one after the other would take longer than a function has. */
const PLACED_AT_ONCE = 20;
