/**
 * Looks at the first frame of a connection: does it follow directly on the cursor, or may something be missing in between? If
 * something may be missing, gap-proof.ts sends a probe.
 */
import type { Position } from "@firehose-backfill/core/position";
import type { Gap } from "./gap-proof.ts";
import type { ReadPosition } from "./types.ts";

/** Where the stream stands when the first frame comes. */
export interface FirstFrame {
  readonly first: Position;
  /** The last position of the run. null: it has none yet. */
  readonly cursor: Position | null;
  /** The cursor that the connection was opened with, or the last number that was taken. */
  readonly lastSeq: number;
  /** The event time of the stream. null: not known. */
  readonly eventTimeMs: number | null;
}

export class ConnectionStart {
  readonly #start: ReadPosition;
  readonly #isSuspicious: (cursorTimeMs: number, firstTimeMs: number) => boolean;
  #hasFrames = false;
  #isGapSettled = false;
  #isOutdated = false;

  constructor(start: ReadPosition, isSuspicious: (cursorTimeMs: number, firstTimeMs: number) => boolean) {
    this.#start = start;
    this.#isSuspicious = isSuspicious;
  }

  /** A frame of the present connection was taken, so the next one is not the first. */
  get hasFrames(): boolean {
    return this.#hasFrames;
  }

  newConnection(): void {
    this.#hasFrames = false;
    this.#isGapSettled = false;
    this.#isOutdated = false;
  }

  noteFrame(): void {
    this.#hasFrames = true;
  }

  /** A probe has looked at what may be missing before the first frame. */
  settleGap(): void {
    this.#isGapSettled = true;
  }

  /** The host said that it no longer has what follows the cursor. */
  noteOutdated(): void {
    this.#isOutdated = true;
  }

  /** null: no gap. If the host itself says that there is one, no probe is needed. */
  gapBefore(frame: FirstFrame): Gap | { readonly suspicious: Position } | null {
    const { first, cursor, lastSeq } = frame;
    if (this.#isOutdated && lastSeq > 0 && first.seq > lastSeq + 1) {
      const from = cursor ?? { seq: lastSeq, timeMs: this.#start.startTimeMs ?? first.timeMs };
      return { from, to: first, reason: "the host said that the cursor is outdated" };
    }
    if (this.#isGapSettled || this.#isOutdated) return null;
    if (cursor === null) return this.#gapAtStart(first);
    // The time of a single frame may be wrong. The event time is the median of many.
    const cursorTimeMs = frame.eventTimeMs ?? cursor.timeMs;
    return this.#isSuspicious(cursorTimeMs, first.timeMs) ? { suspicious: cursor } : null;
  }

  /** A start at a number has no time that could be compared, so a probe looks whenever the first frame is not the next number. */
  #gapAtStart(first: Position): { readonly suspicious: Position } | null {
    const { start, startTimeMs } = this.#start;
    // If the start was found by time, the number is one of a frame that the host has sent.
    if (typeof start === "string" || startTimeMs !== null || start.seq <= 0 || first.seq <= start.seq + 1) return null;
    return { suspicious: { seq: start.seq, timeMs: first.timeMs } };
  }
}
