/**
 * Searches for a moment in a stream, between two sequence numbers. It says where to look next and learns from each look. Pure:
 * it does not connect. It may end too early in the stream, and then more is read; it never ends behind the moment.
 */
import type { Position } from "@firehose-backfill/core/position";
import { medianTime } from "./event-time.ts";
import { firstBelieved } from "./seq-doubt.ts";

/** What one connection with a cursor showed. */
export type Look =
  /** The first frames behind the cursor, in order, at least one. */
  | { readonly kind: "frames"; readonly sample: readonly Position[] }
  /** The host sent nothing, or it said that the cursor is above its head. */
  | { readonly kind: "nothing" };

export interface SeekSearchOptions {
  /** The oldest frame that the host keeps. It is before the moment. */
  readonly oldest: Position;
  /** A frame at the head, from a live connection. null: none came. `timeMs` null: too few frames came to know it. */
  readonly head: { readonly seq: number; readonly timeMs: number | null } | null;
  /** The moment, by event time. */
  readonly beforeMs: number;
  /** The search ends when it is so close to the moment. */
  readonly toleranceMs: number;
}

export interface SeekSearch {
  /** The cursor to look at next. null: another look would gain little. */
  next(): number | null;
  learn(cursor: number, look: Look): void;
  /** The latest frame that is known to be before the moment. */
  low(): Position;
}

/** A sample of fewer frames has no event time, because the clocks of single hosts may be wrong. */
export const FEWEST_FRAMES = 11;
/** Reading so many frames takes less time than another look. */
const NEAR_FRAMES = 2_000;
/** The first step above the oldest frame, if no head is known. Each next step is four times as long. */
const FIRST_STRIDE = 1_024;
/** After so many looks the stretch is only halved, because then the number of looks is bounded for every stream. */
const MAX_GUESSES = 12;
/** After so many looks the pace of the stream is not used any more. Then the stride, which grows with each look, finds an end. */
const MAX_PROJECTIONS = 4;
/** The longest projection. If it goes too far, the search has to halve that away again. */
const LONGEST_PROJECTION = 2 ** 32;
/** A guess stays at least this part of the stretch away from both ends. */
const EDGE = 1 / 32;

/** The event time of a sample. null: it has too few frames. */
export function sampleTimeMs(sample: readonly Position[]): number | null {
  return sample.length < FEWEST_FRAMES ? null : medianTime(sample.map(({ timeMs }) => timeMs));
}

export function startSeekSearch(options: SeekSearchOptions): SeekSearch {
  const { beforeMs, toleranceMs } = options;
  let low = options.oldest;
  /** Frames above it are behind the moment. null: no such number is known. */
  let high = options.head;
  let stride = FIRST_STRIDE;
  let looks = 0;
  /** The last look left more than half of the stretch, so the next one halves it. */
  let isSlow = false;

  /** How far above `low` the moment is, if the pace between the oldest frame and `low` goes on. null: the pace is not known. */
  const projected = (): number | null => {
    const { oldest } = options;
    if (looks > MAX_PROJECTIONS || low.seq <= oldest.seq || low.timeMs <= oldest.timeMs) return null;
    const seqsPerMs = (low.seq - oldest.seq) / (low.timeMs - oldest.timeMs);
    const distance = Math.round((beforeMs - toleranceMs / 2 - low.timeMs) * seqsPerMs);
    return Math.min(Math.max(distance, 1), LONGEST_PROJECTION);
  };

  const fraction = (top: NonNullable<typeof high>): number => {
    if (isSlow || looks > MAX_GUESSES || top.timeMs === null || top.timeMs <= low.timeMs) return 1 / 2;
    const wanted = (beforeMs - toleranceMs / 2 - low.timeMs) / (top.timeMs - low.timeMs);
    return Math.min(Math.max(wanted, EDGE), 1 - EDGE);
  };

  return {
    next() {
      if (low.timeMs >= beforeMs - toleranceMs) return null;
      if (high === null) return low.seq + (projected() ?? stride);
      const span = high.seq - low.seq;
      if (span <= NEAR_FRAMES) return null;
      return low.seq + Math.min(Math.max(Math.round(span * fraction(high)), 1), span - 1);
    },

    learn(cursor, look) {
      const spanBefore = high === null ? Number.POSITIVE_INFINITY : high.seq - low.seq;
      looks++;
      stride *= 4;
      const sample = look.kind === "frames" ? look.sample : [];
      const first = sample[firstBelieved(sample.map(({ seq }) => seq))];
      const timeMs = look.kind === "frames" ? sampleTimeMs(look.sample) : null;
      // If the frames are below the cursor, the cursor was above the head, and the host sends live frames without saying so.
      const isAnswer = first !== undefined && first.seq >= cursor && (high === null || first.seq < high.seq);
      if (isAnswer && timeMs !== null && timeMs < beforeMs) low = { seq: first.seq, timeMs };
      else high = { seq: cursor, timeMs: timeMs !== null && timeMs >= beforeMs ? timeMs : null };
      isSlow = high !== null && !isSlow && (high.seq - low.seq) * 2 > spanBefore;
    },

    low: () => low,
  };
}
