/** A relay's stream as a list of positions, and what a connection to it shows, to test the seek without sockets. */
import type { Position } from "@firehose-backfill/core/position";
import type { ProbeResult } from "@firehose-backfill/firehose/probe";

export interface ModelFrame {
  readonly seq: number;
  /** When it really came, which a client cannot see. Never decreases. */
  readonly trueMs: number;
  /** The time in the frame. */
  readonly timeMs: number;
}

/** The differences between hosts. */
export interface ModelManners {
  readonly fromCursor: "above" | "at";
  readonly aboveHead: "future-cursor" | "live";
  /** New frames are added at the head meanwhile. */
  readonly isLive: boolean;
}

const SAMPLE = 101;
/** How many frames a live stream gets during one look. */
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
