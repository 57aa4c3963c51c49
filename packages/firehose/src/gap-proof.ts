/**
 * The proof of a gap on a host that says nothing of it. A connection whose first frame is much later than the cursor is a
 * suspicion; one probe for the oldest frame that is kept decides. Until then no frame is taken.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import type { ProbeResult } from "./probe.ts";
import { medianTime } from "./event-time.ts";
import { firstBelieved } from "./seq-doubt.ts";
import { FEWEST_FRAMES } from "./seek-search.ts";
import type { FirehoseTimings } from "./timings.ts";

/** Of the oldest frames that a host keeps: the first alone may have a number that is not true. */
export const GAP_SAMPLE = { frames: FEWEST_FRAMES, forMs: 200 };

export interface Gap {
  readonly from: Position;
  readonly to: Position;
  readonly reason: string;
}

/** What a probe showed. */
export interface GapFinding {
  readonly gap: Gap | null;
  /** Time of the oldest frame that the host keeps; null: the probe did not see it. */
  readonly oldestKeptMs: number | null;
}

export interface GapProofOptions {
  readonly clock: Clock;
  readonly timings: Pick<FirehoseTimings, "gapSuspicionMs" | "gapProbeIntervalMs">;
  /** Looks with cursor=0. */
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  readonly onWake: () => void;
}

export interface Suspicion {
  /** Where the run was, or where it was told to begin. */
  readonly cursor: Position;
  readonly first: Position;
  /** Nothing of the run was read yet. */
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

  /** When the probe may go out, if it has to wait for that. */
  get deadlineMs(): number {
    return this.#suspicion !== null && this.#running === null ? this.#nextProbeMs : Number.POSITIVE_INFINITY;
  }

  /** Whether a connection's first frame is so late that there may be a gap; a cursor that was never a frame has no time. */
  isSuspicious(cursorTimeMs: number, firstTimeMs: number): boolean {
    return cursorTimeMs > 0 && firstTimeMs - cursorTimeMs > this.#options.timings.gapSuspicionMs;
  }

  suspect(cursor: Position, first: Position, isStart = false): void {
    this.#suspicion = { cursor, first, isStart };
  }

  /** What was found since the last call; null: nothing. */
  takeFinding(): GapFinding | null {
    const finding = this.#finding;
    this.#finding = null;
    return finding;
  }

  /** Sends the probe out when its time has come. */
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

  /** The connection that raised the suspicion is gone. */
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
  // As everywhere, no single frame's time is believed.
  const oldestKeptMs = medianTime(sample.map(({ timeMs }) => timeMs)) ?? oldest.timeMs;
  if (oldest.seq <= cursor.seq + 1) return { gap: null, oldestKeptMs };
  // What is kept may have moved on between the two connections: ours has already brought `first`.
  const to = first.seq < oldest.seq ? first : oldest;
  const reason = isStart ? "before what the host keeps" : "the host no longer keeps what follows the cursor";
  return { gap: { from: cursor, to, reason }, oldestKeptMs };
}
