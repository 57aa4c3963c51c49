/**
 * Decides whether a sequence number is believed. The number of a single frame may be wrong, so a number that is not the next of
 * the stream is compared with the numbers of the frames behind it. Pure: it knows numbers only, and neither frames nor time.
 */

/** So many frames that agree decide, if none contradicts. So one frame less than that may be wrong in a row. */
export const VOTES = 4;
/** So many frames behind the doubtful one are compared. */
export const LOOK_AHEAD = 2 * VOTES;
/** A step up to this length is believed if the host sends nothing behind it, because deleted events leave such holes. */
export const LARGE_STEP = 1_000;

export type SeqVerdict =
  | "fits"
  /** The stream goes on as if the frame had not come. It becomes a dead entry. */
  | "outlier"
  /** The stream goes on below its cursor. */
  | "went-back"
  /** More frames have to come. */
  | "wait";

/**
 * What is known about the wait for more frames. `none`: more may come at any moment. `pause`: none came for a second, or the
 * connection ends. `silence`: none came for so long that a host counts as quiet. `end`: none will come.
 */
export type Patience = "none" | "pause" | "silence" | "end";

export interface DoubtfulSeq {
  readonly seq: number;
  /** The last number that was believed, or the cursor that was asked for. */
  readonly last: number;
  /** A frame was believed before. If none was, this one contradicts nothing. */
  readonly isPlaced: boolean;
  /** The numbers of the frames behind it, in their order. */
  readonly following: readonly number[];
}

export function judgeSeq(doubt: DoubtfulSeq, patience: Patience): SeqVerdict {
  // Frames that stand further behind must not change the result, also if a caller passes them.
  const near = { ...doubt, following: doubt.following.slice(0, LOOK_AHEAD) };
  return doubt.seq > doubt.last ? judgeAbove(near, patience) : judgeBelow(near, patience);
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
    // The numbers begin again from below. That says nothing about the frame before them.
    if (below >= VOTES) return isSmall ? "fits" : "outlier";
  }
  // Nearly every doubt comes here first, so the check must be cheap.
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

/** How many more frames are in rising order with this one than without it. */
function leadOf(seq: number, last: number, following: readonly number[]): number {
  return 1 + longestRise(following, seq) - longestRise(following, last);
}

/** The largest number of these that rise one behind the other and are above `floor`. */
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
  const isAllSeen = following.length >= LOOK_AHEAD;
  if (!isAllSeen && (patience === "none" || patience === "pause")) return "wait";
  return above > below ? "outlier" : "went-back";
}

/**
 * The index of the first frame whose number agrees with the frames behind it. In a sample, too, the number of a single frame may
 * be wrong. -1: there are no frames.
 */
export function firstBelieved(seqs: readonly number[]): number {
  return seqs.findIndex((seq, index) => {
    const others = seqs.slice(index + 1, index + 1 + LOOK_AHEAD);
    return others.filter((other) => other >= seq).length * 2 >= others.length;
  });
}

/** The last number that agrees with the numbers before it. 0: there are none. */
export function lastBelieved(seqs: readonly number[]): number {
  const last = seqs.findLast((seq, index) => {
    const others = seqs.slice(Math.max(0, index - LOOK_AHEAD), index);
    const step = seq - (others.at(-1) ?? seq);
    return step <= LARGE_STEP && others.filter((other) => other <= seq).length * 2 >= others.length;
  });
  return last ?? 0;
}
