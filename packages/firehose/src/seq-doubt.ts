/**
 * Whether a sequence number is believed. One frame's number moves nothing by itself: one that is not the next of the stream
 * is held against the numbers of the frames behind it. Pure; it knows numbers only, and neither frames nor time.
 */

/** So many frames that agree decide, if none contradicts. Up to one less in a row may be wrong. */
export const VOTES = 4;
/** Frames behind the doubtful one that are looked at. */
export const LOOK_AHEAD = 2 * VOTES;
/** A step up to this long is believed where a host falls silent behind it: deleted events leave such holes. */
export const LARGE_STEP = 1_000;

export type SeqVerdict =
  | "fits"
  /** The stream goes on as if it had not been there: to be set aside. */
  | "outlier"
  /** The stream is below its cursor, and stays there. */
  | "went-back"
  /** More frames have to come. */
  | "wait";

/**
 * What else is known while too few frames are there. `none`: more may come at any moment. `pause`: none came for a second, or
 * the connection ends. `silence`: none came for as long as makes a host quiet. `end`: none will come.
 */
export type Patience = "none" | "pause" | "silence" | "end";

export interface DoubtfulSeq {
  readonly seq: number;
  /** The last number that was believed, or the cursor that was asked for. */
  readonly last: number;
  /** A frame was believed before. Else there is nothing that this one contradicts. */
  readonly isPlaced: boolean;
  /** Numbers of the frames behind it, in their order. */
  readonly following: readonly number[];
}

export function judgeSeq(doubt: DoubtfulSeq, patience: Patience): SeqVerdict {
  return doubt.seq > doubt.last ? judgeAbove(doubt, patience) : judgeBelow(doubt, patience);
}

function judgeAbove({ seq, last, isPlaced, following }: DoubtfulSeq, patience: Patience): SeqVerdict {
  let above = 0;
  let between = 0;
  let below = 0;
  const isSmall = seq - last <= LARGE_STEP;
  for (const other of following) {
    if (other >= seq) above++;
    else if (other > last) between++;
    else below++;
    if (above >= VOTES && between === 0) return "fits";
    if (between >= VOTES && above === 0) return "outlier";
    // The host begins anew: that says nothing of the frame before it.
    if (below >= VOTES) return isSmall ? "fits" : "outlier";
  }
  // What nearly every doubt comes to first, and it costs nothing.
  if (following.length < LOOK_AHEAD && patience === "none") return "wait";
  const lead = leadOf(seq, last, following);
  if (following.length >= LOOK_AHEAD) return lead >= 0 ? "fits" : "outlier";
  const isContradicted = between > 0;
  if (patience === "pause") {
    if (isContradicted && lead <= -2) return "outlier";
    if (!isSmall || (isContradicted && lead <= 0)) return "wait";
    return above > 0 || !isPlaced ? "fits" : "wait";
  }
  if (isContradicted) return lead > 0 ? "fits" : "outlier";
  if (above > 0 || isSmall || !isPlaced) return "fits";
  return patience === "end" ? "outlier" : "wait";
}

/** How many more frames are in order with this one than without it. */
function leadOf(seq: number, last: number, following: readonly number[]): number {
  const seen = following.slice(0, LOOK_AHEAD);
  return 1 + longestRise(seen, seq) - longestRise(seen, last);
}

/** How many of these numbers, at most, rise one behind the other from above `floor`. */
function longestRise(seqs: readonly number[], floor: number): number {
  const lengths: number[] = [];
  for (const [index, seq] of seqs.entries()) {
    const before = lengths.map((length, other) => ((seqs[other] ?? 0) < seq ? length : 0));
    lengths[index] = seq > floor ? 1 + Math.max(0, ...before) : 0;
  }
  return Math.max(0, ...lengths);
}

function judgeBelow({ last, following }: DoubtfulSeq, patience: Patience): SeqVerdict {
  let above = 0;
  let below = 0;
  for (const other of following) {
    if (other > last) above++;
    else if (other < last) below++;
    if (above >= VOTES) return "outlier";
    if (below >= VOTES) return "went-back";
  }
  if (patience === "none" || patience === "pause") return "wait";
  return above > below ? "outlier" : "went-back";
}

/**
 * Index of the first of some frames whose number those behind it vouch for: of a sample the first frame alone decides nothing.
 * -1: there are none.
 */
export function firstBelieved(seqs: readonly number[]): number {
  return seqs.findIndex((seq, index) => {
    const others = seqs.slice(index + 1, index + 1 + LOOK_AHEAD);
    return others.filter((other) => other >= seq).length * 2 >= others.length;
  });
}

/** The last number that those before it do not contradict; 0: there are none. */
export function lastBelieved(seqs: readonly number[]): number {
  const last = seqs.findLast((seq, index) => {
    const others = seqs.slice(Math.max(0, index - LOOK_AHEAD), index);
    const step = seq - (others.at(-1) ?? seq);
    return step <= LARGE_STEP && others.filter((other) => other <= seq).length * 2 >= others.length;
  });
  return last ?? 0;
}
