/** How long a frame with a doubtful sequence number waits for those behind it, and what is known while too few have come. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import type { Patience } from "./seq-doubt.ts";
import type { StreamState } from "./stream-state.ts";
import type { Subscription } from "./subscription.ts";
import type { FirehoseTimings } from "./timings.ts";

/** Connections that may end at a frame that is doubted before it is decided without those behind it. */
const MOST_CUTS = 3;

export class DoubtWait {
  readonly #clock: Clock;
  readonly #timings: FirehoseTimings;
  /** Nothing will come behind the frame that is doubted. */
  #isLast = false;
  /** Since when nothing came behind a frame that was decided for that reason; null: none was. */
  #decidedSinceMs: number | null = null;
  /** Connections that ended at a doubted frame behind this position. */
  #cuts = 0;
  #cutAt: Position | null = null;

  constructor(clock: Clock, timings: FirehoseTimings) {
    this.#clock = clock;
    this.#timings = timings;
  }

  patience(subscription: Subscription): Patience {
    if (this.#isLast) return "end";
    if (subscription.isCut) return "pause";
    const sinceMs = subscription.quietSinceMs(true);
    if (sinceMs === null) return "none";
    const { idleMs, quietMs } = this.#timings;
    const quietForMs = this.#clock.now() - sinceMs;
    if (quietForMs >= idleMs) this.#decidedSinceMs = sinceMs;
    if (quietForMs >= quietMs) return "silence";
    return quietForMs >= idleMs ? "pause" : "none";
  }

  /** Nothing more comes: what can be said of the frame is said now. */
  decideNow(): void {
    this.#isLast = true;
  }

  /** A frame was taken: what comes behind it is another matter. */
  noteTaken(): void {
    this.#isLast = false;
  }

  /** Since when the stream has been quiet, where that is why frames were taken; asked once for them. */
  takeDecidedSinceMs(): number | null {
    const sinceMs = this.#decidedSinceMs;
    this.#decidedSinceMs = null;
    return sinceMs;
  }

  /** What to do about a frame that is doubted: wait for more, decide it without them, or read it again. */
  next(subscription: Subscription, state: StreamState): "wait" | "decide" | "reconnect" {
    if (!subscription.isCut) return "wait";
    if (state.position !== this.#cutAt) this.#cuts = 0;
    this.#cutAt = state.position;
    this.#cuts++;
    // Without a cursor it would not come again.
    if (this.#cuts < MOST_CUTS && state.cursor !== null) return "reconnect";
    this.#cuts = 0;
    this.#isLast = true;
    return "decide";
  }

  /** When a doubted frame is looked at again, if nothing comes behind it. */
  deadlineMs(subscription: Subscription, state: StreamState): number {
    const sinceMs = state.isDoubting ? subscription.quietSinceMs(true) : null;
    if (sinceMs === null) return Number.POSITIVE_INFINITY;
    const { idleMs, quietMs } = this.#timings;
    const nowMs = this.#clock.now();
    const dueMs = [sinceMs + idleMs, sinceMs + quietMs].filter((ms) => ms > nowMs);
    return Math.min(...dueMs, Number.POSITIVE_INFINITY);
  }
}
