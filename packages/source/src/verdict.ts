/** What the end of a window means for the run. A source has reasons of its own; the use cases know only these. */

export type Verdict =
  /** There is more to read. `isFull`: the window ended because the next unit did not fit into `maxEvents`. */
  | { readonly kind: "more"; readonly isFull: boolean }
  /** The run's end is reached. `word` goes into the tick's report: `caught-up`, `quiet`. */
  | { readonly kind: "end"; readonly word: string }
  /** The caller's signal ended the window. */
  | { readonly kind: "stopped" }
  /** Memory is short: the reader backs off. */
  | { readonly kind: "memory" }
  /** There is nothing to read now, and nothing is wrong: what is left waits for its time. `reason` for a person. */
  | { readonly kind: "wait"; readonly reason: string }
  /** The source cannot be reached now. The next tick tries again. `reason` for a person; null: nothing more is known. */
  | { readonly kind: "retry"; readonly reason: string | null }
  /** The cursor and the source do not fit together: the run is paused, and only a new start helps. */
  | { readonly kind: "pause"; readonly reason: NewStartReason }
  /** The source will never serve this: the run is errored. Resuming it tries again from the same cursor. */
  | { readonly kind: "fail"; readonly reason: string };

/** The tick's report begins with it when the source could not be reached; the reason follows. */
export const UNREACHABLE = "unreachable: ";

export const REASON_CURSOR_AHEAD = "the cursor is ahead of the host";
export const REASON_SEQ_WENT_BACK = "the host's sequence numbers went back";
/** They are stored as the reason of a paused run and tell `resume` that it needs `--from`: their words must not change. */
const NEW_START_REASONS = [REASON_CURSOR_AHEAD, REASON_SEQ_WENT_BACK] as const;
export type NewStartReason = (typeof NEW_START_REASONS)[number];

/** Whether a run that is paused for this reason can go on only from a new start (`resume --from`). */
export function needsNewStart(reason: string | null): boolean {
  return NEW_START_REASONS.some((known) => known === reason);
}
