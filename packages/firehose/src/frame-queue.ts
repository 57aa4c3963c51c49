/**
 * The frames that came and were not taken yet, in their order, and how many bytes they are, which decides about back-pressure. Each
 * of them can be read before its turn, and each is read once.
 */
import { readFrame } from "./frame.ts";
import { type Frame, MAX_FRAME_BYTES } from "./frame-types.ts";

/** Something that came instead of a binary frame: text, or a frame that was too large to be received. */
export interface OddFrame {
  readonly reason: string;
  /** null: it was not received. */
  readonly bytes: Buffer | null;
}

export type QueuedFrame = Buffer | OddFrame;

/** Stands for a frame that the socket refused because of its size. */
export const TOO_LARGE: OddFrame = { reason: `larger than ${MAX_FRAME_BYTES} bytes`, bytes: null };

/** Every size of the ring is a power of two. */
const LEAST_SLOTS = 16;

/** The queue for reading only. Index 0 is the frame in front. null: so many frames have not come. */
export type FramesInOrder = Pick<FrameQueue, "frameAt" | "bytesAt">;

/** It is a ring. An array would keep growing while the queue is never empty, and it would keep the bytes of every frame. */
export class FrameQueue {
  #queued: (QueuedFrame | null)[] = emptySlots(LEAST_SLOTS);
  /** What each of them says, at the same index. null: the frame was not read yet. */
  #read: (Frame | null)[] = emptySlots(LEAST_SLOTS);
  #first = 0;
  #length = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** How many frames it has room for. */
  get slots(): number {
    return this.#queued.length;
  }

  push(frame: QueuedFrame): void {
    if (this.#length === this.#queued.length) this.#grow();
    this.#queued[this.#slot(this.#length)] = frame;
    this.#length++;
    this.#bytes += sizeOf(frame);
  }

  /** What the frame says. A frame that stays in front is not read again. */
  frameAt(index: number): Frame | null {
    if (index >= this.#length) return null;
    const slot = this.#slot(index);
    const known = this.#read[slot] ?? null;
    if (known !== null) return known;
    const queued = this.#queued[slot] ?? null;
    return queued === null ? null : (this.#read[slot] = readQueued(queued));
  }

  /** null: no frame is there, or it was not received. */
  bytesAt(index: number): Buffer | null {
    const queued = index < this.#length ? (this.#queued[this.#slot(index)] ?? null) : null;
    return queued === null || Buffer.isBuffer(queued) ? queued : queued.bytes;
  }

  /** Removes the frame in front. */
  shift(): void {
    const first = this.#first;
    const queued = this.#queued[first] ?? null;
    if (queued === null) return;
    this.#bytes -= sizeOf(queued);
    this.#queued[first] = null;
    this.#read[first] = null;
    this.#first = this.#slot(1);
    this.#length--;
  }

  clear(): void {
    this.#queued = emptySlots(LEAST_SLOTS);
    this.#read = emptySlots(LEAST_SLOTS);
    this.#first = 0;
    this.#length = 0;
    this.#bytes = 0;
  }

  #slot(index: number): number {
    return (this.#first + index) & (this.#queued.length - 1);
  }

  #grow(): void {
    this.#queued = unrolled(this.#queued, this.#first);
    this.#read = unrolled(this.#read, this.#first);
    this.#first = 0;
  }
}

function emptySlots(count: number): null[] {
  return Array.from({ length: count }, () => null);
}

/** The items from the first on, and as many empty slots behind them. */
function unrolled<Item>(ring: readonly (Item | null)[], first: number): (Item | null)[] {
  return [...ring.slice(first), ...ring.slice(0, first), ...emptySlots(ring.length)];
}

function sizeOf(queued: QueuedFrame): number {
  return Buffer.isBuffer(queued) ? queued.length : (queued.bytes?.length ?? 0);
}

function readQueued(queued: QueuedFrame): Frame {
  return Buffer.isBuffer(queued) ? readFrame(queued) : { kind: "broken", reason: queued.reason };
}
