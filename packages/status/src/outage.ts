/** What prevents the reader from reading now, from its last tick and from the windows that it has registered since. Pure. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { FAILED, isFailing, reachedFor } from "@firehose-backfill/backfill/failing-since";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";

export interface Outage {
  /** For a person: `the relay cannot be reached: ECONNREFUSED`. */
  readonly text: string;
  readonly sinceMs: number;
}

/** null: it reads, or has nothing to read. */
export function outageOf(run: Run, openWindows: readonly OpenWindow[]): Outage | null {
  const { lastTick } = run;
  if (run.status !== "running" || lastTick === null) return null;
  const because = lastTick.endedBecause;
  if (!isFailing(because)) return null;
  // A tick may last a minute: a window that it registers shows before its end that the reader reads again.
  const endedAtMs = lastTick.atMs + lastTick.durationMs;
  if (openWindows.some(({ window }) => window.sentAtMs > endedAtMs)) return null;
  const text = because.startsWith(UNREACHABLE)
    ? `${reachedFor(run)} cannot be reached: ${because.slice(UNREACHABLE.length)}`
    : `the reader fails: ${because.slice(FAILED.length)}`;
  return { text, sinceMs: lastTick.failingSinceMs ?? lastTick.atMs };
}
