/** Decides when to send a ping into silence, and when a connection is dead because nothing answers. The caller gives the times. */
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

  /** Since when frames could come, and none has come. */
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

  /** A frame came, the connection opened, or it was resumed after a pause. */
  frame(nowMs: number): void {
    this.#quietSinceMs = nowMs;
    this.#sign(nowMs);
  }

  pong(nowMs: number): void {
    this.#pongMs = nowMs;
    this.#sign(nowMs);
  }

  /** Call it while the connection is open and not paused. `ping`: send one now. */
  check(nowMs: number): "alive" | "ping" | "dead" {
    // Nobody called for so long that signs of the host may have been missed, so the silence counts from now.
    if (nowMs - this.#lastCheckMs > this.#timings.pongTimeoutMs) this.#sign(nowMs);
    this.#lastCheckMs = nowMs;
    if (nowMs < this.deadlineMs()) return "alive";
    if (this.#pingSentMs !== null) return "dead";
    this.#pingSentMs = nowMs;
    return "ping";
  }

  /** When `check` will next answer something else than `alive`. */
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
