/**
 * The proof that a host has nothing above our cursor, and is not merely silent on our connection: no frame comes on the main
 * connection, none on a second one from the same cursor, and none on a third one that is live. Its owner polls it; a look runs
 * on between two polls.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { ProbeResult } from "./probe.ts";
import type { FirehoseTimings } from "./timings.ts";

/** The wait after a look that failed, as a multiple of quietMs. A host that allows one connection only is asked rarely. */
const RETRY_AFTER_QUIETS = 6;

export interface QuietFacts {
  /** Since when the main connection has been open, flowing and silent. null: it is not. */
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
  /** A second connection brought a frame that the main one did not bring, so the main one has to be replaced. */
  | "stuck"
  /** Only the live connection brought a frame, so the host does not serve our cursor. */
  | "silent-on-cursor";

interface Look {
  readonly cursor: number | null;
  readonly aboveSeq: number;
  readonly listenMs: number;
}

/** A look at the host, from its beginning until its result has been judged. */
interface Looking {
  readonly kind: "second" | "live";
  /** The silence that the look belongs to. */
  readonly sinceMs: number;
  readonly stop: AbortController;
  result: ProbeResult | null;
  /** The look saw a frame, and until then the main connection may bring it, too. null: the look saw none. */
  graceUntilMs: number | null;
}

export interface QuietProofOptions {
  readonly clock: Clock;
  readonly timings: Pick<FirehoseTimings, "quietMs">;
  readonly probe: (look: Look, signal: AbortSignal) => Promise<ProbeResult>;
  readonly onWake: () => void;
}

export class QuietProof {
  readonly #options: QuietProofOptions;
  #looking: Looking | null = null;
  #notBeforeMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: QuietProofOptions) {
    this.#options = options;
  }

  /** When to poll again, if nothing wakes its owner before. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Forgets what was proved so far, and ends a look that goes on. */
  reset(): void {
    this.#looking?.stop.abort();
    this.#looking = null;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  poll(facts: QuietFacts): QuietVerdict {
    const { quietSinceMs } = facts;
    // After a frame, a pause or the end of the connection the proof begins again.
    if (this.#looking === null || quietSinceMs === null || quietSinceMs > this.#looking.sinceMs) this.reset();
    if (quietSinceMs === null) return "open";
    const nowMs = this.#options.clock.now();
    if (this.#looking !== null) return this.#judge(this.#looking, facts, nowMs);
    const dueMs = Math.max(quietSinceMs + this.#options.timings.quietMs, this.#notBeforeMs);
    if (dueMs > nowMs) this.#deadlineMs = dueMs;
    else if (facts.isAnswering) this.#look("second", quietSinceMs, facts);
    return "open";
  }

  #judge(looking: Looking, facts: QuietFacts, nowMs: number): QuietVerdict {
    const { kind, result, sinceMs } = looking;
    const { quietMs } = this.#options.timings;
    switch (result?.kind) {
      case undefined:
        return "open";
      case "silent":
        if (kind === "second") {
          this.#look("live", sinceMs, facts);
          return "open";
        }
        this.reset();
        return "quiet";
      case "frame":
        this.#deadlineMs = looking.graceUntilMs ??= nowMs + quietMs;
        if (nowMs < this.#deadlineMs) return "open";
        this.reset();
        return kind === "second" ? "stuck" : "silent-on-cursor";
      case "error-frame":
      case "failed":
        // The look failed, so nothing is proved.
        this.reset();
        this.#notBeforeMs = nowMs + quietMs * RETRY_AFTER_QUIETS;
        this.#deadlineMs = this.#notBeforeMs;
        return "open";
    }
  }

  #look(kind: Looking["kind"], sinceMs: number, { cursor, aboveSeq }: QuietFacts): void {
    this.#looking = { kind, sinceMs, stop: new AbortController(), result: null, graceUntilMs: null };
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const look = { cursor: kind === "second" ? cursor : null, aboveSeq, listenMs: this.#options.timings.quietMs };
    void this.#listen(this.#looking, look);
  }

  async #listen(looking: Looking, look: Look): Promise<void> {
    const { signal } = looking.stop;
    const result = await this.#options.probe(look, signal);
    if (signal.aborted) return;
    looking.result = result;
    this.#options.onWake();
  }
}
