/** Frames that came and were not looked at yet, in order, with their size: what back-pressure is measured by. */
import { readFrame } from "./frame.ts";
import { type Frame, MAX_FRAME_BYTES } from "./frame-types.ts";

/** A frame that is none: text, or too large to be received. */
export interface OddFrame {
  readonly reason: string;
  /** null: it was not received. */
  readonly bytes: Buffer | null;
}

export type QueuedFrame = Buffer | OddFrame;

/** Stands for a frame that the socket refused. */
export const TOO_LARGE: OddFrame = { reason: `larger than ${MAX_FRAME_BYTES} bytes`, bytes: null };

export class FrameQueue {
  #frames: QueuedFrame[] = [];
  /** Index of the first one: `shift` on a long array would move all of it. */
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#first === this.#frames.length;
  }

  push(frame: QueuedFrame): void {
    this.#frames.push(frame);
    this.#bytes += bytesOf(frame)?.length ?? 0;
  }

  peek(): QueuedFrame | null {
    return this.#frames[this.#first] ?? null;
  }

  /** 0 is what `peek` shows. null: so many have not come. */
  peekAt(index: number): QueuedFrame | null {
    return this.#frames[this.#first + index] ?? null;
  }

  /** Removes what `peek` shows. */
  shift(): void {
    const frame = this.#frames[this.#first];
    if (frame !== undefined) this.#bytes -= bytesOf(frame)?.length ?? 0;
    this.#first++;
    if (this.#first >= this.#frames.length) this.clear();
  }

  clear(): void {
    this.#frames = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}

/** null: there are none. */
export function bytesOf(queued: QueuedFrame): Buffer | null {
  return Buffer.isBuffer(queued) ? queued : queued.bytes;
}

export function readQueued(queued: QueuedFrame): Frame {
  return Buffer.isBuffer(queued) ? readFrame(queued) : { kind: "broken", reason: queued.reason };
}
