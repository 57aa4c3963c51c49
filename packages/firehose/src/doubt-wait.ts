/** How long a frame whose sequence number is doubted waits for the frames behind it, and how patient the rule in seq-doubt.ts may be. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import type { Patience } from "./seq-doubt.ts";
import type { FirehoseTimings } from "./timings.ts";

/** So many connections may end at the same doubted frame. Then it is decided without the frames behind it. */
const MOST_CUTS = 3;

export interface DoubtWaitOptions {
  readonly clock: Clock;
  readonly timings: Pick<FirehoseTimings, "idleMs" | "quietMs">;
  /** The connection has ended, and its last frames wait. */
  readonly isCut: () => boolean;
  /** Since when nothing has come. null: something may come at any moment. */
  readonly quietSinceMs: () => number | null;
}

export class DoubtWait {
  readonly #options: DoubtWaitOptions;
  /** Nothing will come behind the frame that is doubted. */
  #isLast = false;
  /** Since when nothing came behind a frame that was decided for that reason. null: no frame was. */
  #decidedSinceMs: number | null = null;
  /** Connections that ended at a doubted frame behind this position. */
  #cuts = 0;
  #cutAt: Position | null = null;

  constructor(options: DoubtWaitOptions) {
    this.#options = options;
  }

  patience(): Patience {
    if (this.#isLast) return "end";
    if (this.#options.isCut()) return "pause";
    const sinceMs = this.#options.quietSinceMs();
    if (sinceMs === null) return "none";
    const { idleMs, quietMs } = this.#options.timings;
    const quietForMs = this.#options.clock.now() - sinceMs;
    if (quietForMs >= idleMs) this.#decidedSinceMs = sinceMs;
    if (quietForMs >= quietMs) return "silence";
    return quietForMs >= idleMs ? "pause" : "none";
  }

  /** Nothing more comes, so the frame is decided when it is looked at the next time. */
  decideNow(): void {
    this.#isLast = true;
  }

  /** The frame was taken. The next one may have frames behind it. */
  noteTaken(): void {
    this.#isLast = false;
  }

  /** Since when the stream has been quiet, if frames were taken for that reason. Asked once for them. */
  takeDecidedSinceMs(): number | null {
    const sinceMs = this.#decidedSinceMs;
    this.#decidedSinceMs = null;
    return sinceMs;
  }

  /** What to do about a doubted frame behind `position`: wait for more frames, decide it without them, or read it again. */
  next(position: Position | null, cursor: number | null): "wait" | "decide" | "reconnect" {
    if (!this.#options.isCut()) return "wait";
    if (position !== this.#cutAt) this.#cuts = 0;
    this.#cutAt = position;
    this.#cuts++;
    // Without a cursor the host would not send it again.
    if (this.#cuts < MOST_CUTS && cursor !== null) return "reconnect";
    this.#cuts = 0;
    this.#isLast = true;
    return "decide";
  }

  /** When a doubted frame is looked at again, if nothing comes behind it. */
  get deadlineMs(): number {
    const sinceMs = this.#options.quietSinceMs();
    if (sinceMs === null) return Number.POSITIVE_INFINITY;
    const { clock, timings } = this.#options;
    const nowMs = clock.now();
    const dueMs = [sinceMs + timings.idleMs, sinceMs + timings.quietMs].filter((ms) => ms > nowMs);
    return Math.min(...dueMs, Number.POSITIVE_INFINITY);
  }
}
