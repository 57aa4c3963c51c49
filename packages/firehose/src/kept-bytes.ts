/** Copies of what is kept, and how much of a stranger's words and bytes is kept at all. */

/** Most of what is kept of anything dead. */
export const MAX_DEAD_PAYLOAD_BYTES = 16_384;
/** Words of a server that find their way into an error are cut here. */
const MAX_QUOTED_CHARS = 500;

/** A copy: whoever keeps it does not keep the frame. */
export function copyBytes(bytes: Buffer, start: number, end: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(start, end));
}

/** A copy of the first 16 KiB between two offsets. */
export function copyHead(bytes: Buffer, start: number, end: number): Uint8Array {
  return copyBytes(bytes, start, Math.min(end, start + MAX_DEAD_PAYLOAD_BYTES));
}

/** Cuts what a server said to a length that a person reads. */
export function quote(text: string): string {
  return text.length <= MAX_QUOTED_CHARS ? text : `${text.slice(0, MAX_QUOTED_CHARS)}…`;
}
