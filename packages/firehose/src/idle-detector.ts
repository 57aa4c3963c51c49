/**
 * What silence means, for one reader: a host that never says anything, one that is quiet, one that is silent on our cursor alone,
 * or a connection that is stuck. Asked whenever something may have changed.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { StreamState } from "./stream-state.ts";
import { QuietProof, type QuietProofOptions } from "./quiet-proof.ts";
import type { Subscription } from "./subscription.ts";
import type { FirehoseTimings } from "./timings.ts";
import type { Ending } from "./window-builder.ts";

export type HostVerdict =
  | { readonly kind: "open" }
  /** The connection is to be replaced. */
  | { readonly kind: "reconnect"; readonly detail: string }
  | { readonly kind: "end"; readonly ending: Ending };

export interface IdleDetectorOptions extends Pick<QuietProofOptions, "probe" | "onWake"> {
  readonly clock: Clock;
  readonly timings: FirehoseTimings;
  /** Since when a first frame has been waited for; null: since the first connection. */
  readonly silentSinceMs: number | null;
}

const OPEN: HostVerdict = { kind: "open" };

export class IdleDetector {
  readonly #clock: Clock;
  readonly #timings: FirehoseTimings;
  readonly #quietProof: QuietProof;
  #silentSinceMs: number | null;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: IdleDetectorOptions) {
    this.#clock = options.clock;
    this.#timings = options.timings;
    this.#silentSinceMs = options.silentSinceMs;
    this.#quietProof = new QuietProof(options);
  }

  /** When to ask again, if nothing happens before. */
  get deadlineMs(): number {
    return Math.min(this.#deadlineMs, this.#quietProof.deadlineMs);
  }

  reset(): void {
    this.#quietProof.reset();
  }

  judge(subscription: Subscription, state: StreamState): HostVerdict {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    if (subscription.refused !== null) return end("refused", subscription.refused);
    if (!state.hostSeen) return subscription.isOpen ? this.#judgeSilence(subscription.openedMs) : OPEN;
    const verdict = this.#quietProof.poll({
      quietSinceMs: subscription.quietSinceMs(state.isDoubting),
      isAnswering: subscription.isAnswering,
      cursor: state.cursor,
      aboveSeq: state.position?.seq ?? state.cursor ?? 0,
    });
    switch (verdict) {
      case "open":
        return OPEN;
      case "stuck":
        return { kind: "reconnect", detail: "another connection brings frames, this one does not" };
      case "quiet":
        return end("quiet", null);
      case "silent-on-cursor":
        return end("silent-on-cursor", `live frames come, but none after ${state.cursor ?? 0}`);
      default: {
        const unreachable: never = verdict;
        return unreachable;
      }
    }
  }

  /**
   * Not one frame so far. Readers are often younger than the wait, so it counts from the first of them; but half of it has to
   * pass on one connection: a host that closes each of them soon is not silent, but out of reach.
   */
  #judgeSilence(openedMs: number): HostVerdict {
    const { silentMs } = this.#timings;
    this.#silentSinceMs ??= openedMs;
    const dueMs = Math.max(this.#silentSinceMs + silentMs, openedMs + silentMs / 2);
    if (this.#clock.now() >= dueMs) return end("host-silent", `no frame for ${silentMs} ms`);
    this.#deadlineMs = dueMs;
    return OPEN;
  }
}

function end(because: Ending["because"], detail: string | null): HostVerdict {
  return { kind: "end", ending: { because, detail } };
}
