/** Whether the host at the other end is still there: pings into silence, and notices when nothing answers. Times come in. */
import type { FirehoseTimings } from "./timings.ts";

export class Liveness {
  readonly #timings: FirehoseTimings;
  #quietSinceMs = 0;
  #lastSignMs = 0;
  #pongMs = Number.NEGATIVE_INFINITY;
  #pingSentMs: number | null = null;
  #lastCheckMs = 0;

  constructor(timings: FirehoseTimings) {
    this.#timings = timings;
  }

  /** Since when no frame has come, or could have. */
  get quietSinceMs(): number {
    return this.#quietSinceMs;
  }

  /** A ping has been answered since then. */
  get isAnswering(): boolean {
    return this.#pongMs >= this.#quietSinceMs;
  }

  get silentForMs(): number {
    return this.#lastCheckMs - this.#lastSignMs;
  }

  /** A frame came, the connection opened, or it flows again. */
  frame(nowMs: number): void {
    this.#quietSinceMs = nowMs;
    this.#sign(nowMs);
  }

  pong(nowMs: number): void {
    this.#pongMs = nowMs;
    this.#sign(nowMs);
  }

  /** To be asked while the connection is open and flowing. `ping`: send one now. */
  check(nowMs: number): "alive" | "ping" | "dead" {
    // Nobody watched: the silence before now says nothing about the host.
    if (nowMs - this.#lastCheckMs > this.#timings.pongTimeoutMs) this.#sign(nowMs);
    this.#lastCheckMs = nowMs;
    if (nowMs < this.deadlineMs()) return "alive";
    if (this.#pingSentMs !== null) return "dead";
    this.#pingSentMs = nowMs;
    return "ping";
  }

  /** When `check` will say something else than `alive`. */
  deadlineMs(): number {
    const { pingAfterMs, pingIntervalMs, pongTimeoutMs } = this.#timings;
    if (this.#pingSentMs !== null) return this.#pingSentMs + pongTimeoutMs;
    return this.#lastSignMs + (this.isAnswering ? pingIntervalMs : pingAfterMs);
  }

  #sign(nowMs: number): void {
    this.#lastSignMs = nowMs;
    this.#pingSentMs = null;
  }
}
