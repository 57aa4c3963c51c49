/**
 * The proof that a host has nothing above our cursor, and is not merely silent on our connection: nothing on the
 * main connection, nothing on a second one from the same cursor, and nothing on a third one that is live.
 * Its owner polls it; probes run on between polls.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { ProbeResult } from "./probe.ts";
import type { FirehoseTimings } from "./timings.ts";

/** After a probe that could not look, as a multiple of quietMs. */
const RETRY_AFTER_QUIETS = 6;

export interface QuietFacts {
  /** Since when the main connection has been open, flowing and silent; null: it is not. */
  readonly quietSinceMs: number | null;
  /** It has answered a ping since then. */
  readonly isAnswering: boolean;
  /** What to connect with, and the seq that counts as nothing new. */
  readonly cursor: number | null;
  readonly aboveSeq: number;
}

export type QuietVerdict =
  | "open"
  | "quiet"
  /** A second connection brought what the first did not: it is to be replaced. */
  | "stuck"
  /** The live one did: the host does not serve our cursor. */
  | "silent-on-cursor";

interface Look {
  readonly cursor: number | null;
  readonly aboveSeq: number;
  readonly listenMs: number;
}

interface Looking {
  readonly kind: "second" | "live";
  readonly sinceMs: number;
  result: ProbeResult | null;
}

type Stage =
  | { readonly kind: "listening" }
  | Looking
  /** A probe saw a frame: the main connection gets as long to see it too. */
  | { readonly kind: "grace"; readonly sinceMs: number; readonly until: number; readonly verdict: QuietVerdict };

export interface QuietProofOptions {
  readonly clock: Clock;
  readonly timings: Pick<FirehoseTimings, "quietMs">;
  readonly probe: (look: Look, signal: AbortSignal) => Promise<ProbeResult>;
  readonly onWake: () => void;
}

export class QuietProof {
  readonly #options: QuietProofOptions;
  #stage: Stage = { kind: "listening" };
  #running: AbortController | null = null;
  #notBeforeMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: QuietProofOptions) {
    this.#options = options;
  }

  /** When to poll again, if nothing wakes its owner before. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Forgets what was proved so far; ends a running probe. */
  reset(): void {
    this.#running?.abort();
    this.#running = null;
    this.#stage = { kind: "listening" };
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  poll(facts: QuietFacts): QuietVerdict {
    const { quietSinceMs } = facts;
    // Anything that came meanwhile starts the proof anew.
    if (this.#stage.kind !== "listening" && (quietSinceMs === null || quietSinceMs > this.#stage.sinceMs)) this.reset();
    if (quietSinceMs === null) {
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      return "open";
    }
    const nowMs = this.#options.clock.now();
    const stage = this.#stage;
    switch (stage.kind) {
      case "listening": {
        const dueMs = Math.max(quietSinceMs + this.#options.timings.quietMs, this.#notBeforeMs);
        this.#deadlineMs = dueMs > nowMs ? dueMs : Number.POSITIVE_INFINITY;
        if (dueMs <= nowMs && facts.isAnswering) this.#look("second", facts.cursor, quietSinceMs, facts);
        return "open";
      }
      case "second":
      case "live":
        return stage.result === null ? "open" : this.#judge(stage.kind, stage.result, quietSinceMs, facts, nowMs);
      case "grace":
        if (nowMs < stage.until) return "open";
        this.reset();
        return stage.verdict;
      default: {
        const unreachable: never = stage;
        return unreachable;
      }
    }
  }

  #judge(
    kind: "second" | "live",
    result: ProbeResult,
    sinceMs: number,
    facts: QuietFacts,
    nowMs: number,
  ): QuietVerdict {
    const { quietMs } = this.#options.timings;
    if (result.kind === "silent" && kind === "second") {
      this.#look("live", null, sinceMs, facts);
      return "open";
    }
    if (result.kind === "silent") {
      this.reset();
      return "quiet";
    }
    if (result.kind === "frame") {
      const verdict = kind === "second" ? "stuck" : "silent-on-cursor";
      this.#deadlineMs = nowMs + quietMs;
      this.#stage = { kind: "grace", sinceMs, until: this.#deadlineMs, verdict };
      return "open";
    }
    // It could not look: nothing is proved. A host that allows one connection only is asked rarely.
    this.reset();
    this.#notBeforeMs = nowMs + quietMs * RETRY_AFTER_QUIETS;
    this.#deadlineMs = this.#notBeforeMs;
    return "open";
  }

  #look(kind: "second" | "live", cursor: number | null, sinceMs: number, facts: QuietFacts): void {
    const stage: Looking = { kind, sinceMs, result: null };
    const running = new AbortController();
    this.#stage = stage;
    this.#running = running;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const look = { cursor, aboveSeq: facts.aboveSeq, listenMs: this.#options.timings.quietMs };
    void this.#listen(stage, look, running.signal);
  }

  async #listen(stage: Looking, look: Look, signal: AbortSignal): Promise<void> {
    const result = await this.#options.probe(look, signal);
    if (signal.aborted) return;
    stage.result = result;
    this.#options.onWake();
  }
}
