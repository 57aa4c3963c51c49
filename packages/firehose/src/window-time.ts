/** Decides when a window is over by the clock: nothing came for a while, its time is up, or the next connection would come too late. */
import type { StreamState } from "./stream-state.ts";
import type { Subscription } from "./subscription.ts";
import type { WindowBuilder } from "./window-builder.ts";

export class WindowTime {
  readonly #deadlineMs: number;
  readonly #idleMs: number;
  #lastTakenMs = 0;

  constructor(deadlineMs: number, idleMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#idleMs = idleMs;
  }

  noteTaken(atMs: number): void {
    this.#lastTakenMs = atMs;
  }

  judge(nowMs: number, window: WindowBuilder, subscription: Subscription, state: StreamState): void {
    if (window.frames > 0) {
      const isIdle = nowMs >= this.#lastTakenMs + this.#idleMs && isWaitingForFrames(subscription, state);
      if (isIdle) window.end("idle");
      else if (nowMs >= this.#deadlineMs) window.end("time");
      return;
    }
    // The next connection would come after the end of this window, so the window does not wait for it.
    const isHopeless = subscription.isFailing && (subscription.retryAtMs ?? 0) >= this.#deadlineMs;
    if (nowMs < this.#deadlineMs && !isHopeless) return;
    if (state.isBroken) window.end("bad-frame", subscription.detail);
    else if (subscription.isFailing) window.end("unreachable", subscription.detail);
    else window.end("time");
  }

  nextMs(window: WindowBuilder, subscription: Subscription, state: StreamState): number {
    const isIdling = window.frames > 0 && isWaitingForFrames(subscription, state);
    return isIdling ? Math.min(this.#deadlineMs, this.#lastTakenMs + this.#idleMs) : this.#deadlineMs;
  }
}

function isWaitingForFrames(subscription: Subscription, state: StreamState): boolean {
  return state.isDoubting || subscription.frames.isEmpty;
}
