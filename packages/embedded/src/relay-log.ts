/** The frames that a relay keeps, in the order of their sequence numbers. It also reads files of recorded frames. */
import { seqOf } from "./relay-frame.ts";

export interface FrameLog {
  /** The sequence numbers of the oldest and the newest frame kept; 0 if there is none. */
  readonly oldestSeq: number;
  readonly headSeq: number;
  /** Frames up to here were removed, so a cursor below it has missed some. 0: none were removed. */
  readonly trimmedSeq: number;
  /** Frames above `seq`, oldest first, up to the current end of the log. */
  after(seq: number): Iterable<LoggedFrame>;
}

export interface LoggedFrame {
  readonly seq: number;
  readonly frame: Uint8Array;
}

/** A log in memory that can grow. */
export interface MemoryLog extends FrameLog {
  /** @throws RangeError if seq does not rise. */
  append(frames: Iterable<Uint8Array>): void;
  /** Removes the frames up to and including `seq`, as a relay does at the end of its window. */
  trim(seq: number): void;
}

export function memoryLog(frames: Iterable<Uint8Array> = []): MemoryLog {
  let kept: LoggedFrame[] = [];
  let trimmedSeq = 0;
  const log: MemoryLog = {
    get oldestSeq() {
      return kept[0]?.seq ?? 0;
    },
    get headSeq() {
      return kept.at(-1)?.seq ?? trimmedSeq;
    },
    get trimmedSeq() {
      return trimmedSeq;
    },
    *after(seq) {
      const snapshot = kept;
      for (let i = firstAbove(snapshot, seq); i < snapshot.length; i += 1) {
        const entry = snapshot[i];
        if (entry !== undefined) yield entry;
      }
    },
    append(more) {
      for (const frame of more) {
        const seq = seqOf(frame);
        if (seq === null || seq <= log.headSeq) throw new RangeError(`seq ${seq} after ${log.headSeq}`);
        kept.push({ seq, frame });
      }
    },
    trim(seq) {
      trimmedSeq = Math.max(trimmedSeq, Math.min(seq, log.headSeq));
      kept = kept.slice(firstAbove(kept, seq));
    },
  };
  log.append(frames);
  return log;
}

/** Recorded frames: repeated `[u32 little-endian length][frame]`. The frames are views into `file`. */
export function splitFrames(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    if (at > file.length) throw new RangeError("a recording cut short");
    frames.push(file.subarray(start, at));
  }
  return frames;
}

/** Index of the first entry above `seq`, by binary search. */
function firstAbove(entries: readonly LoggedFrame[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
