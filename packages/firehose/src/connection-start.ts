/**
 * The beginning of a connection: whether its first frame comes directly behind what was asked for, or whether something may be
 * missing in between. gap-proof.ts looks into what is suspicious here.
 */
import type { Position } from "@firehose-backfill/core/position";
import type { Gap } from "./gap-proof.ts";
import type { ReadPosition } from "./types.ts";

/** Where the stream stands as the first frame comes. */
export interface FirstFrame {
  readonly first: Position;
  /** The run's last position; null: it has none yet. */
  readonly cursor: Position | null;
  /** The number that the connection was asked for, or the last one that was taken. */
  readonly lastSeq: number;
  /** The stream's event time; null: not known. */
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

  /** A frame of the present connection was taken: its beginning is over. */
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

  /** The suspicion about the first frame has been dealt with. */
  settleGap(): void {
    this.#isGapSettled = true;
  }

  /** The host said that it no longer has what follows the cursor. */
  noteOutdated(): void {
    this.#isOutdated = true;
  }

  /** null: none. What the host itself says needs no proof. */
  gapBefore(frame: FirstFrame): Gap | { readonly suspicious: Position } | null {
    const { first, cursor, lastSeq } = frame;
    if (this.#isOutdated && lastSeq > 0 && first.seq > lastSeq + 1) {
      const from = cursor ?? { seq: lastSeq, timeMs: this.#start.startTimeMs ?? first.timeMs };
      return { from, to: first, reason: "the host said that the cursor is outdated" };
    }
    if (this.#isGapSettled || this.#isOutdated) return null;
    if (cursor === null) return this.#gapAtStart(first);
    // The cursor's own frame may have lied; the frames before it did not all lie.
    const cursorTimeMs = frame.eventTimeMs ?? cursor.timeMs;
    return this.#isSuspicious(cursorTimeMs, first.timeMs) ? { suspicious: cursor } : null;
  }

  /** A start at a number has no time to be compared with: whatever follows not directly is looked into. */
  #gapAtStart(first: Position): { readonly suspicious: Position } | null {
    const { start, startTimeMs } = this.#start;
    // A start by time was sought: the number is a frame that the host has shown.
    if (typeof start === "string" || startTimeMs !== null || start.seq <= 0 || first.seq <= start.seq + 1) return null;
    return { suspicious: { seq: start.seq, timeMs: first.timeMs } };
  }
}
