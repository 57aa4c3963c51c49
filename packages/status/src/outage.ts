/** What keeps the reader from reading now, if anything does, from its last tick and from what it has registered since. Pure. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunError } from "@firehose-backfill/checkpoint/notes";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";

export interface Outage {
  /** For a person: `the relay cannot be reached: ECONNREFUSED`. */
  readonly text: string;
  readonly sinceMs: number | null;
}

const FAILED = "error: ";

/** null: it reads, or has nothing to read. */
export function outageOf(run: Run, openWindows: readonly OpenWindow[], errors: readonly RunError[]): Outage | null {
  const { lastTick } = run;
  if (run.status !== "running" || lastTick === null) return null;
  const because = lastTick.endedBecause;
  const isUnreachable = because.startsWith(UNREACHABLE);
  if (!isUnreachable && !because.startsWith(FAILED)) return null;
  // A tick may last a minute: what it registers says before its end that the reader reads again.
  const endedAtMs = lastTick.atMs + lastTick.durationMs;
  if (openWindows.some(({ window }) => window.sentAtMs > endedAtMs)) return null;
  const text = isUnreachable
    ? `the relay ${run.source.host} cannot be reached: ${because.slice(UNREACHABLE.length)}`
    : `the reader fails: ${because.slice(FAILED.length)}`;
  return { text, sinceMs: sinceWhen(lastTick.atMs, errors) };
}

/** The first of the reader's errors that follow one another without a break up to the last tick. */
function sinceWhen(lastTickMs: number, errors: readonly RunError[]): number {
  let sinceMs = lastTickMs;
  for (const { atMs, source } of errors.toReversed()) {
    if (source !== "reader") continue;
    if (sinceMs - atMs > LONGEST_BREAK_MS) break;
    sinceMs = Math.min(sinceMs, atMs);
  }
  return sinceMs;
}

/** Tries are at most about a minute apart; what lies further back was another outage. */
const LONGEST_BREAK_MS = 150_000;
