/** Frames that came and were not looked at yet, in order, with their size: what back-pressure is measured by. */
import { readFrame } from "./frame.ts";
import { type Frame, MAX_FRAME_BYTES } from "./frame-types.ts";

export interface QueuedFrame {
  /** null: it was too large to be received. */
  readonly bytes: Buffer | null;
  readonly isBinary: boolean;
}

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
    this.#bytes += frame.bytes?.length ?? 0;
  }

  peek(): QueuedFrame | null {
    return this.#frames[this.#first] ?? null;
  }

  /** Removes what `peek` shows. */
  shift(): void {
    this.#bytes -= this.#frames[this.#first]?.bytes?.length ?? 0;
    this.#first++;
    if (this.#first >= this.#frames.length) this.clear();
  }

  clear(): void {
    this.#frames = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}

export function readQueued({ bytes, isBinary }: QueuedFrame): Frame {
  if (bytes === null) return { kind: "broken", reason: `larger than ${MAX_FRAME_BYTES} bytes` };
  return isBinary ? readFrame(bytes) : { kind: "broken", reason: "a text frame" };
}
