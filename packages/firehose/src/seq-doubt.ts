/**
 * Whether a sequence number is believed. One frame's number moves nothing by itself: one that is not the next of the stream
 * is held against the numbers of the frames behind it. Pure; it knows numbers only, and neither frames nor time.
 */

/** So many frames that agree decide, whatever is still to come. Up to one less in a row may be wrong. */
export const VOTES = 4;
/** Frames behind the doubtful one that are looked at. */
export const LOOK_AHEAD = 12;
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
    if (above >= VOTES) return "fits";
    if (between >= VOTES) return "outlier";
    // The host begins anew: that says nothing of the frame before it.
    if (below >= VOTES) return isSmall ? "fits" : "outlier";
  }
  if (patience === "none") return "wait";
  if (patience === "pause") return isSmall && (above > between || (!isPlaced && between === 0)) ? "fits" : "wait";
  if (above !== between) return above > between ? "fits" : "outlier";
  if (isSmall || !isPlaced) return "fits";
  return patience === "end" ? "outlier" : "wait";
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
