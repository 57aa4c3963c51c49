/** Copies of what is kept, and how much of a stranger's words and bytes is kept at all. */

/** Most of what is kept of anything dead. */
export const MAX_DEAD_PAYLOAD_BYTES = 16_384;
/** Words of a server that find their way into an error are cut here. */
const MAX_QUOTED_CHARS = 500;

/** Copies up to this size share memory; what one of them pins is at most a slab. */
const MAX_SHARED_BYTES = 8_192;
const SLAB_BYTES = 65_536;
let slab: Buffer<ArrayBuffer> = Buffer.alloc(0);
let slabUsed = 0;

/**
 * A copy: whoever keeps it does not keep the frame. Small ones share a slab with their neighbours, with whom they are dropped, too:
 * an ArrayBuffer for each record costs ten times as much, and the collector as much again.
 */
export function copyBytes(bytes: Buffer, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > MAX_SHARED_BYTES) return Uint8Array.from(bytes.subarray(start, end));
  const at = copyToSlab(bytes, start, end);
  return new Uint8Array(slab.buffer, at, length);
}

/** Two copies of what stands one behind the other: copied at once, and a view of each. */
export function copyPair(bytes: Buffer, start: number, middle: number, end: number): readonly [Uint8Array, Uint8Array] {
  if (end - start > MAX_SHARED_BYTES) return [copyBytes(bytes, start, middle), copyBytes(bytes, middle, end)];
  const at = copyToSlab(bytes, start, end);
  const { buffer } = slab;
  return [new Uint8Array(buffer, at, middle - start), new Uint8Array(buffer, at + middle - start, end - middle)];
}

/** Returns where they are in the slab. */
function copyToSlab(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > slab.length - slabUsed) {
    // Not filled with zeros: that would touch memory that is about to be written anyway.
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  bytes.copy(slab, at, start, end);
  slabUsed += length;
  return at;
}

/** A copy of the first 16 KiB between two offsets. */
export function copyHead(bytes: Buffer, start: number, end: number): Uint8Array {
  return copyBytes(bytes, start, Math.min(end, start + MAX_DEAD_PAYLOAD_BYTES));
}

/** Cuts what a server said to a length that a person reads. */
export function quote(text: string): string {
  return text.length <= MAX_QUOTED_CHARS ? text : `${text.slice(0, MAX_QUOTED_CHARS)}…`;
}
