/** A relay's stream as a list of positions, and what a look at it shows: seek is tested on it without sockets. */
import type { Position } from "@firehose-backfill/core/position";
import type { ProbeResult } from "@firehose-backfill/firehose/probe";

export interface ModelFrame {
  readonly seq: number;
  /** When it came, which nobody can see. Never falls. */
  readonly trueMs: number;
  /** What it says. */
  readonly timeMs: number;
}

/** Where hosts differ. */
export interface ModelManners {
  readonly fromCursor: "above" | "at";
  readonly aboveHead: "future-cursor" | "live";
  /** Frames come on at the head while we look. */
  readonly isLive: boolean;
}

const SAMPLE = 101;
/** Frames that come on a live stream while a look lasts. */
const LIVE_FRAMES = 40;

export function probeModel(
  frames: readonly ModelFrame[],
  manners: ModelManners,
): (cursor: number | null) => ProbeResult {
  const headSeq = frames.at(-1)?.seq ?? 0;
  const live = (): ProbeResult => (manners.isLive ? show(frames.slice(-LIVE_FRAMES)) : { kind: "silent" });
  return (cursor) => {
    if (cursor === null) return live();
    if (cursor > headSeq && manners.aboveHead === "live") return live();
    if (cursor > headSeq) return { kind: "error-frame", error: "FutureCursor", message: "" };
    const first = firstFrom(frames, manners.fromCursor === "at" ? cursor : cursor + 1);
    return show(frames.slice(first, first + SAMPLE));
  };
}

function show(frames: readonly ModelFrame[]): ProbeResult {
  const sample: readonly Position[] = frames.map(({ seq, timeMs }) => ({ seq, timeMs }));
  const [position] = sample;
  return position === undefined ? { kind: "silent" } : { kind: "frame", position, isOutdated: false, sample };
}

/** Index of the first frame that is not below `seq`. */
function firstFrom(frames: readonly ModelFrame[], seq: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
