/**
 * Where to look next for a moment in a stream, and what each look taught: a search between two sequence numbers. Pure; it
 * connects to nothing. It may stop too early in the stream, which costs reading; it never goes past the moment.
 */
import type { Position } from "@firehose-backfill/core/position";
import { medianTime } from "./event-time.ts";
import { firstBelieved } from "./seq-doubt.ts";

/** What one connection with a cursor showed. */
export type Look =
  /** The first frames after the cursor, in order; at least one. */
  | { readonly kind: "frames"; readonly sample: readonly Position[] }
  /** The host has nothing there: silence, or an error because the cursor is above its head. */
  | { readonly kind: "nothing" };

export interface SeekSearchOptions {
  /** Oldest frame that the host keeps. It is before the moment. */
  readonly oldest: Position;
  /** A frame at the head, seen live; null: none came. `timeMs` null: it is not known well enough. */
  readonly head: { readonly seq: number; readonly timeMs: number | null } | null;
  /** The moment by event time; the search stays before it. */
  readonly beforeMs: number;
  /** So close to the moment is close enough. */
  readonly toleranceMs: number;
}

export interface SeekSearch {
  /** The cursor to look at next; null: there is little to gain any more. */
  next(): number | null;
  learn(cursor: number, look: Look): void;
  /** The latest frame known to be before the moment. */
  low(): Position;
}

/** Fewer frames are not asked which time it is: clocks of single hosts are wrong. */
export const FEWEST_FRAMES = 11;
/** So many frames are read sooner than a further look is taken. */
const NEAR_FRAMES = 2_000;
/** First step above the oldest frame where no head is known; each next one is four times as long. */
const FIRST_STRIDE = 1_024;
/** After so many looks only halving is used, which is bounded whatever the stream looks like. */
const MAX_GUESSES = 12;
/** After so many looks the pace so far says nothing about the rest: the stride, which grows with each, has to find an end. */
const MAX_PROJECTIONS = 4;
/** A projection never goes further: what it may overshoot by is halved away again, a look a bit. */
const LONGEST_PROJECTION = 2 ** 32;
/** A guess never claims to know better than this where in the stretch the moment is. */
const EDGE = 1 / 32;

/** Event time of a sample; null: too few frames, or clocks, to tell. */
export function sampleTimeMs(sample: readonly Position[]): number | null {
  return sample.length < FEWEST_FRAMES ? null : medianTime(sample.map(({ timeMs }) => timeMs));
}

export function startSeekSearch(options: SeekSearchOptions): SeekSearch {
  const { beforeMs, toleranceMs } = options;
  let low = options.oldest;
  /** Nothing before the moment is above it. */
  let high = options.head;
  let stride = FIRST_STRIDE;
  let looks = 0;
  /** The last look left more than half of the stretch. */
  let isSlow = false;

  /** How far above `low` the moment is if the stream goes on as it did between the oldest frame and `low`. null: no telling. */
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
      // Frames below the cursor: it was above the head, and the host went live in silence.
      const isAnswer = first !== undefined && first.seq >= cursor && (high === null || first.seq < high.seq);
      if (isAnswer && timeMs !== null && timeMs < beforeMs) low = { seq: first.seq, timeMs };
      else high = { seq: cursor, timeMs: timeMs !== null && timeMs >= beforeMs ? timeMs : null };
      isSlow = high !== null && !isSlow && (high.seq - low.seq) * 2 > spanBefore;
    },

    low: () => low,
  };
}
