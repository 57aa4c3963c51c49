/**
 * Finds the sequence number from which a start by time is read. It looks at the relay at a few cursors, so that a run need not
 * read and skip everything before the start. It makes one connection after the other, two a second and 40 at most.
 */
import type { Position } from "@firehose-backfill/core/position";
import { medianTime, REMEMBERED_TIMES } from "./event-time.ts";
import { type ProbeOptions, probeStream, type ProbeResult } from "./probe.ts";
import { firstBelieved } from "./seq-doubt.ts";
import { FEWEST_FRAMES, type Look, sampleTimeMs, type SeekSearch, startSeekSearch } from "./seek-search.ts";

export interface SeekOptions extends Pick<ProbeOptions, "url" | "userAgent" | "clock"> {
  /** Milliseconds since the epoch, by event time. */
  readonly startTimeMs: number;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** The longest time that it may take. What is found until then is the result. */
  readonly maxMs?: number;
  /** What differs from DEFAULT_SEEK_LIMITS. */
  readonly limits?: Partial<SeekLimits>;
  /** Replaces the connection in tests. `cursor` null: live. */
  readonly probe?: (cursor: number | null, listenMs: number, signal: AbortSignal) => Promise<ProbeResult>;
}

export interface SeekLimits {
  readonly maxProbes: number;
  /** The time between the beginnings of two connections. Up to half as much is added as jitter. */
  readonly spacingMs: number;
  /** The search aims so long before the start, because the clocks of hosts differ. The reader skips the rest by event time. */
  readonly marginMs: number;
  /** So much earlier than that is near enough. */
  readonly toleranceMs: number;
  readonly connectTimeoutMs: number;
  /** How long to wait for the first frame. The oldest frames may come from a slow disk, so they get more time. */
  readonly listenMs: number;
  readonly listenOldestMs: number;
  /** How long to wait for the rest of a sample. */
  readonly sampleMs: number;
}

export const DEFAULT_SEEK_LIMITS: SeekLimits = {
  maxProbes: 40,
  spacingMs: 500,
  marginMs: 600_000,
  toleranceMs: 120_000,
  connectTimeoutMs: 10_000,
  listenMs: 3_000,
  listenOldestMs: 10_000,
  sampleMs: 200,
};

export type SeekEnd =
  /** The result is near enough. */
  | "found"
  /** The oldest frame is behind the start or a little before it, so there is nothing to search. */
  | "oldest"
  /** The limit of probes or of time is reached. */
  | "limit"
  /** The host sent no frame. */
  | "silent"
  /** The host could not be asked, at the beginning or later. `detail` says why. */
  | "failed"
  | "aborted";

export interface SeekResult {
  readonly endedBecause: SeekEnd;
  /** A frame of the host before the start. Read what follows it. null: read from the oldest frame. */
  readonly from: Position | null;
  /** The oldest frame that the host keeps, and its head, with median times. null: it was not seen. */
  readonly oldestKept: Position | null;
  readonly head: Position | null;
  /** The host keeps no frame as old as the start. */
  readonly isClamped: boolean;
  /** How many connections were made. */
  readonly probes: number;
  /** A sentence for a person. null: `endedBecause` says everything. */
  readonly detail: string | null;
}

/** So many connections may fail. The next one that fails ends the search. */
const MAX_FAILURES = 2;
const DEFAULT_MAX_MS = 20_000;

/** Never rejects, and never finds a position behind the start. If it finds little, more has to be read. */
export async function seekCursor(options: SeekOptions, signal: AbortSignal): Promise<SeekResult> {
  const limits = { ...DEFAULT_SEEK_LIMITS, ...options.limits };
  const looker = new Looker(options, limits, signal);
  const found = await search(options.startTimeMs, limits, looker);
  // The reader connects next, and it has to keep the distance, too.
  if (looker.probes > 1) await looker.keepDistance();
  return { oldestKept: null, head: null, isClamped: false, detail: null, ...found, probes: looker.probes };
}

type Finding = Partial<SeekResult> & Pick<SeekResult, "endedBecause" | "from">;

async function search(startTimeMs: number, limits: SeekLimits, looker: Looker): Promise<Finding> {
  const atOldest = await looker.look(0, limits.listenOldestMs);
  if (atOldest.kind === "over") return { endedBecause: atOldest.because, from: null, detail: atOldest.detail };
  if (atOldest.kind === "nothing") return { endedBecause: "silent", from: null };
  const oldestKept = positionOf(atOldest.sample.slice(0, FEWEST_FRAMES));
  const beforeMs = startTimeMs - limits.marginMs;
  if (oldestKept.timeMs >= beforeMs - limits.toleranceMs) {
    return { endedBecause: "oldest", from: null, oldestKept, isClamped: oldestKept.timeMs > startTimeMs };
  }

  const live = await looker.look(null, limits.listenMs);
  if (live.kind === "over") return { endedBecause: live.because, from: null, oldestKept, detail: live.detail };
  const head = live.kind === "frames" ? positionOf(live.sample) : null;
  const headTimeMs = live.kind === "frames" ? sampleTimeMs(live.sample) : null;
  // The head itself is before the moment.
  if (head !== null && headTimeMs !== null && headTimeMs < beforeMs) {
    return { endedBecause: "found", from: head, oldestKept, head };
  }
  const steps = startSeekSearch({
    oldest: oldestKept,
    head: head === null ? null : { seq: head.seq, timeMs: headTimeMs },
    beforeMs,
    toleranceMs: limits.toleranceMs,
  });
  const end = await followSteps(steps, limits, looker);
  const low = steps.low();
  return { ...end, from: low.seq > oldestKept.seq ? low : null, oldestKept, head };
}

async function followSteps(
  steps: SeekSearch,
  limits: SeekLimits,
  looker: Looker,
): Promise<Pick<SeekResult, "endedBecause" | "detail">> {
  for (let cursor = steps.next(); cursor !== null; cursor = steps.next()) {
    const look = await looker.look(cursor, limits.listenMs);
    if (look.kind === "over") return { endedBecause: look.because, detail: look.detail };
    steps.learn(cursor, look);
  }
  return { endedBecause: "found", detail: null };
}

/** The first frame whose number is believed, with the event time of the sample. */
function positionOf(sample: readonly Position[]): Position {
  const first = sample[firstBelieved(sample.map(({ seq }) => seq))];
  return { seq: first?.seq ?? 0, timeMs: medianTime(sample.map(({ timeMs }) => timeMs)) ?? Number.NaN };
}

type LookOrEnd =
  | Look
  | { readonly kind: "over"; readonly because: "limit" | "failed" | "aborted"; readonly detail: string | null };

/** Makes the connections of one search. It keeps a distance between them, counts them, and repeats a few that fail. */
class Looker {
  readonly #options: SeekOptions;
  readonly #limits: SeekLimits;
  readonly #signal: AbortSignal;
  readonly #endsAtMs: number;
  readonly #probe: NonNullable<SeekOptions["probe"]>;
  #lastBeganMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  probes = 0;

  constructor(options: SeekOptions, limits: SeekLimits, signal: AbortSignal) {
    const { url, userAgent, clock, maxMs = DEFAULT_MAX_MS } = options;
    const { connectTimeoutMs, sampleMs } = limits;
    this.#options = options;
    this.#limits = limits;
    this.#signal = signal;
    this.#endsAtMs = clock.now() + maxMs;
    const sample = { frames: REMEMBERED_TIMES, forMs: sampleMs };
    const looking = { url, userAgent, clock, connectTimeoutMs, sample };
    this.#probe = options.probe ?? ((cursor, listenMs, until) => probeStream({ ...looking, cursor, listenMs }, until));
  }

  async look(cursor: number | null, listenMs: number): Promise<LookOrEnd> {
    const { clock } = this.#options;
    for (;;) {
      await this.keepDistance();
      if (this.#signal.aborted) return { kind: "over", because: "aborted", detail: null };
      const leftMs = this.#endsAtMs - clock.now();
      if (this.probes >= this.#limits.maxProbes || leftMs <= 0) return { kind: "over", because: "limit", detail: null };
      this.probes++;
      this.#lastBeganMs = clock.now();
      const result = await this.#probe(cursor, Math.min(listenMs, leftMs), this.#signal);
      switch (result.kind) {
        case "frame":
          return { kind: "frames", sample: result.sample ?? [result.position] };
        case "silent":
          return { kind: "nothing" };
        case "error-frame":
          if (result.error === "FutureCursor") return { kind: "nothing" };
          return { kind: "over", because: "failed", detail: `the host said ${result.error}: ${result.message}` };
        case "failed":
          break;
      }
      // A host that answers with an HTTP status is not asked again at once.
      const isFinal = result.status !== undefined || this.#failures >= MAX_FAILURES;
      if (isFinal) return { kind: "over", because: "failed", detail: result.detail };
      this.#failures++;
    }
  }

  /** Waits until the next connection may begin. */
  async keepDistance(): Promise<void> {
    const { clock, random } = this.#options;
    const waitMs = this.#lastBeganMs + this.#limits.spacingMs * (1 + random() / 2) - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, this.#signal);
  }
}
