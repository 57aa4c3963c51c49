/** How long a frame whose sequence number is doubted waits for the frames behind it, and how patient the rule in seq-doubt.ts may be. */
import type { Position } from "@firehose-backfill/core/position";
import type { Patience } from "./seq-doubt.ts";
import type { FirehoseTimings } from "./timings.ts";

/** So many connections may end at the same doubted frame. Then it is decided without the frames behind it. */
const MOST_CUTS = 3;

export class DoubtWait {
  readonly #timings: FirehoseTimings;
  /** Nothing will come behind the frame that is doubted. */
  #isLast = false;
  /** Since when nothing came behind a frame that was decided for that reason. null: no frame was. */
  #decidedSinceMs: number | null = null;
  /** Connections that ended at a doubted frame behind this position. */
  #cuts = 0;
  #cutAt: Position | null = null;

  constructor(timings: FirehoseTimings) {
    this.#timings = timings;
  }

  /** `isCut`: the connection has ended. `quietSinceMs`: since when no frame has come; null: more may come at any moment. */
  patience(nowMs: number, isCut: boolean, quietSinceMs: number | null): Patience {
    if (this.#isLast) return "end";
    if (isCut) return "pause";
    if (quietSinceMs === null) return "none";
    const { idleMs, quietMs } = this.#timings;
    const quietForMs = nowMs - quietSinceMs;
    if (quietForMs >= idleMs) this.#decidedSinceMs = quietSinceMs;
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

  /** The connection has ended at a doubted frame behind `position`. Without a cursor the host would not send the frame again. */
  cut(position: Position | null, cursor: number | null): "decide" | "reconnect" {
    if (position !== this.#cutAt) this.#cuts = 0;
    this.#cutAt = position;
    this.#cuts++;
    if (this.#cuts < MOST_CUTS && cursor !== null) return "reconnect";
    this.#cuts = 0;
    this.#isLast = true;
    return "decide";
  }

  /** When a doubted frame is looked at again, if nothing comes behind it. `quietSinceMs` null: no frame is doubted, or frames come. */
  deadlineMs(nowMs: number, quietSinceMs: number | null): number {
    if (quietSinceMs === null) return Number.POSITIVE_INFINITY;
    const { idleMs, quietMs } = this.#timings;
    const dueMs = [quietSinceMs + idleMs, quietSinceMs + quietMs].filter((ms) => ms > nowMs);
    return Math.min(...dueMs, Number.POSITIVE_INFINITY);
  }
}
