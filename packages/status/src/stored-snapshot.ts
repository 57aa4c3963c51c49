/** Snapshots that were stored: by an older version with fewer fields, or by a process that has ended. Pure. */
import type { Snapshot } from "./snapshot.ts";
import { verdictOf } from "./verdict.ts";

/** Adds the fields that an older version did not have. */
export function completeSnapshot(stored: Snapshot): Snapshot {
  const known: Partial<Snapshot> = stored;
  const judged = {
    ...stored,
    name: known.name ?? null,
    deadReasons: known.deadReasons ?? {},
    source: known.source ?? null,
    repos: known.repos ?? null,
    hosts: known.hosts ?? [],
    asked: known.asked ?? null,
    startedAt: known.startedAt ?? null,
    outage: known.outage ?? null,
    waiting: known.waiting ?? null,
    actions: known.actions ?? [],
    resyncs: resyncsOf(known.resyncs),
    audit: known.audit ?? null,
    goal: known.goal ?? null,
  };
  return { ...judged, verdict: known.verdict ?? verdictOf(judged) };
}

function resyncsOf(known: Partial<Snapshot["resyncs"]> | undefined): Snapshot["resyncs"] {
  const { count = 0, done = 0, first = [] } = known ?? {};
  return { count, done, first: first.map((request) => ({ ...request, takenBy: request.takenBy ?? null })) };
}

/** The process has ended: its counts are still true, its activity is not. */
export function stoppedSnapshot(last: Snapshot): Snapshot {
  const judged = {
    ...last,
    stopped: true,
    ratePerSecond: 0,
    etaSeconds: last.status === "succeeded" || last.status === "cancelled" ? last.etaSeconds : null,
    nextTickAt: null,
    consumers: { ...last.consumers, active: 0 },
    pool: { ...last.pool, used: 0 },
  };
  return { ...judged, verdict: verdictOf(judged) };
}
