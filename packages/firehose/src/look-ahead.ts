/** Frames that were read before their turn, because the one in front of them is doubted, or had to wait. In the queue's order. */
import { type QueuedFrame, readQueued } from "./frame-queue.ts";
import type { Frame } from "./frame-types.ts";

interface ReadAhead {
  readonly queued: QueuedFrame;
  readonly frame: Frame;
}

/** What stands behind a doubted frame. */
export interface Following {
  readonly seqs: readonly number[];
  /** The host says that it closes: no more will come on this connection. */
  readonly isLast: boolean;
}

export class LookAhead {
  /** The first is the frame in front. Most of the time there is none. */
  readonly #read: ReadAhead[] = [];
  readonly #peekAt: (index: number) => QueuedFrame | null;

  constructor(peekAt: (index: number) => QueuedFrame | null) {
    this.#peekAt = peekAt;
  }

  /** Reads the frame in front, unless that was done before. */
  read(queued: QueuedFrame): Frame {
    const [first] = this.#read;
    if (first === undefined) return readQueued(queued);
    if (first.queued === queued) return first.frame;
    this.clear();
    return readQueued(queued);
  }

  /** The frame in front stays where it is. */
  keep(queued: QueuedFrame, frame: Frame): void {
    if (this.#read.length === 0) this.#read.push({ queued, frame });
  }

  /** The frame in front is done with. */
  shift(): void {
    if (this.#read.length > 0) this.#read.shift();
  }

  clear(): void {
    this.#read.length = 0;
  }

  /** The sequence numbers of up to so many frames behind the one in front, which was kept. */
  following(most: number): Following {
    const seqs: number[] = [];
    for (let index = 1; index <= most; index++) {
      const frame = this.#at(index);
      if (frame === null) break;
      if (frame.kind === "error") return { seqs, isLast: true };
      if (frame.kind !== "broken" && frame.kind !== "info" && frame.seq !== null) seqs.push(frame.seq);
    }
    return { seqs, isLast: false };
  }

  /** So many frames stand directly behind the one in front, none of them below `seq`: what nearly every step of a stream shows. */
  areAbove(seq: number, count: number): boolean {
    for (let index = 1; index <= count; index++) {
      const frame = this.#at(index);
      if (frame === null || !("seq" in frame) || frame.seq === null || frame.seq < seq) return false;
    }
    return true;
  }

  /** Whether these are the bytes of a frame that waits. */
  holds(bytes: Buffer): boolean {
    return this.#read.some(({ queued }) => Buffer.isBuffer(queued) && queued.equals(bytes));
  }

  #at(index: number): Frame | null {
    const known = this.#read[index];
    if (known !== undefined) return known.frame;
    const queued = this.#peekAt(index);
    if (queued === null) return null;
    const frame = readQueued(queued);
    this.#read.push({ queued, frame });
    return frame;
  }
}
