/**
 * Proves a gap on a host that does not say that there is one. If the first frame of a connection is much later than the cursor,
 * something may be missing. A probe for the oldest frame that the host keeps decides. Until then no frame is taken.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import type { ProbeResult } from "./probe.ts";
import { medianTime } from "./event-time.ts";
import { firstBelieved } from "./seq-doubt.ts";
import { FEWEST_FRAMES } from "./seek-search.ts";
import type { FirehoseTimings } from "./timings.ts";

/** A probe takes several of the oldest frames, because the number of the first may be wrong. */
export const GAP_SAMPLE = { frames: FEWEST_FRAMES, forMs: 200 };

export interface Gap {
  readonly from: Position;
  readonly to: Position;
  readonly reason: string;
}

/** What a probe showed. */
export interface GapFinding {
  readonly gap: Gap | null;
  /** The time of the oldest frame that the host keeps. null: the probe did not see it. */
  readonly oldestKeptMs: number | null;
}

export interface GapProofOptions {
  readonly clock: Clock;
  readonly timings: Pick<FirehoseTimings, "gapSuspicionMs" | "gapProbeIntervalMs">;
  /** Looks at the oldest frames, with cursor=0. */
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  readonly onWake: () => void;
}

export interface Suspicion {
  /** The cursor of the run, or where it was told to begin. */
  readonly cursor: Position;
  readonly first: Position;
  /** The run has not read a frame yet. */
  readonly isStart: boolean;
}

export class GapProof {
  readonly #options: GapProofOptions;
  #suspicion: Suspicion | null = null;
  #running: AbortController | null = null;
  #nextProbeMs = 0;
  #finding: GapFinding | null = null;

  constructor(options: GapProofOptions) {
    this.#options = options;
  }

  /** Frames have to wait. */
  get isPending(): boolean {
    return this.#suspicion !== null;
  }

  /** `takeFinding` will say something. */
  get hasFinding(): boolean {
    return this.#finding !== null;
  }

  /** When the probe may be sent. Infinity: none has to be sent. */
  get deadlineMs(): number {
    return this.#suspicion !== null && this.#running === null ? this.#nextProbeMs : Number.POSITIVE_INFINITY;
  }

  /** Whether the first frame of a connection is so late that there may be a gap. A cursor that was never a frame has no time. */
  isSuspicious(cursorTimeMs: number, firstTimeMs: number): boolean {
    return cursorTimeMs > 0 && firstTimeMs - cursorTimeMs > this.#options.timings.gapSuspicionMs;
  }

  suspect(cursor: Position, first: Position, isStart = false): void {
    this.#suspicion = { cursor, first, isStart };
  }

  /** What a probe showed since the last call. null: no probe has ended. */
  takeFinding(): GapFinding | null {
    const finding = this.#finding;
    this.#finding = null;
    return finding;
  }

  /** Sends the probe when its time has come. */
  poll(): void {
    const { clock, timings } = this.#options;
    const suspicion = this.#suspicion;
    const nowMs = clock.now();
    if (suspicion === null || this.#running !== null || nowMs < this.#nextProbeMs) return;
    this.#nextProbeMs = nowMs + timings.gapProbeIntervalMs;
    const running = new AbortController();
    this.#running = running;
    void this.#look(suspicion, running.signal);
  }

  async #look(suspicion: Suspicion, signal: AbortSignal): Promise<void> {
    const result = await this.#options.probe(signal);
    if (signal.aborted) return;
    this.#finding = judge(suspicion, result);
    this.#suspicion = null;
    this.#running = null;
    this.#options.onWake();
  }

  /** Forgets the suspicion, because its connection is gone. */
  reset(): void {
    this.#running?.abort();
    this.#running = null;
    this.#suspicion = null;
    this.#finding = null;
  }
}

function judge({ cursor, first, isStart }: Suspicion, result: ProbeResult): GapFinding {
  if (result.kind !== "frame") return { gap: null, oldestKeptMs: null };
  const sample = result.sample ?? [result.position];
  const oldest = sample[firstBelieved(sample.map(({ seq }) => seq))] ?? result.position;
  // The time of a single frame may be wrong, so the median counts.
  const oldestKeptMs = medianTime(sample.map(({ timeMs }) => timeMs)) ?? oldest.timeMs;
  if (oldest.seq <= cursor.seq + 1) return { gap: null, oldestKeptMs };
  // The host may have dropped frames between the two connections. Our own connection has already brought `first`.
  const to = first.seq < oldest.seq ? first : oldest;
  const reason = isStart ? "before what the host keeps" : "the host no longer keeps what follows the cursor";
  return { gap: { from: cursor, to, reason }, oldestKeptMs };
}
