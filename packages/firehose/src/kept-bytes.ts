/** Copies of what is kept of a frame, and how much of a stranger's words is kept at all. */
import { cutText } from "@firehose-backfill/core/cut-text";

/** Words of a server that find their way into an error are cut here. */
const MAX_QUOTED_CHARS = 500;

/** A copy: whoever keeps it does not keep the frame. */
export function copyBytes(bytes: Buffer, start: number, end: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(start, end));
}

/** Cuts what a server said to a length that a person reads. */
export function quote(text: string): string {
  return cutText(text, MAX_QUOTED_CHARS);
}
