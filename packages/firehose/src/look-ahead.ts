/** Reads the sequence numbers of the frames that wait behind the one in front. */
import type { FramesInOrder } from "./frame-queue.ts";
import type { Frame } from "./frame-types.ts";
import { LOOK_AHEAD } from "./seq-doubt.ts";

/** The frames behind a doubted one. */
export interface Following {
  readonly seqs: readonly number[];
  /** The host has said that it closes, so no more frames come on this connection. */
  readonly isLast: boolean;
}

export class LookAhead {
  readonly #frames: FramesInOrder;
  /** So many frames behind the one in front have rising numbers; `#top` is the number of the last of them. */
  #rising = 0;
  #top = 0;

  constructor(frames: FramesInOrder) {
    this.#frames = frames;
  }

  /** The frame in front was taken. */
  shift(): void {
    if (this.#rising > 0) this.#rising--;
  }

  clear(): void {
    this.#rising = 0;
  }

  /**
   * Whether at least so many frames stand directly behind the one in front, whose number is `seq`, and their numbers never fall.
   * The result of the last call is kept, because it is nearly always true: then one more frame is read for each that is taken.
   */
  isRising(seq: number, count: number): boolean {
    let rising = this.#rising;
    let top = rising === 0 ? seq : this.#top;
    while (rising < count) {
      const frame = this.#frames.frameAt(rising + 1);
      const next = frame === null ? null : seqOf(frame);
      if (next === null || next < top) break;
      top = next;
      rising++;
    }
    this.#rising = rising;
    this.#top = top;
    return rising >= count;
  }

  /** The sequence numbers of up to so many frames behind the one in front. */
  following(most: number): Following {
    const seqs: number[] = [];
    for (let index = 1; index <= most; index++) {
      const frame = this.#frames.frameAt(index);
      if (frame === null) break;
      if (frame.kind === "error") return { seqs, isLast: true };
      const seq = seqOf(frame);
      if (seq !== null) seqs.push(seq);
    }
    return { seqs, isLast: false };
  }

  /** Whether these are the bytes of one of the next frames that wait. */
  holds(bytes: Buffer): boolean {
    for (let index = 0; index <= LOOK_AHEAD; index++) {
      if (this.#frames.bytesAt(index)?.equals(bytes) === true) return true;
    }
    return false;
  }
}

/** null: the frame has no number. */
function seqOf(frame: Frame): number | null {
  return "seq" in frame ? frame.seq : null;
}
