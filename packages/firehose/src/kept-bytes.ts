/** Copies bytes out of a frame, and cuts texts of a server. */
import { cutText } from "@firehose-backfill/core/cut-text";

/** A text of a server that becomes part of an error is cut at this length. */
const MAX_QUOTED_CHARS = 500;

/** Copies the bytes, so that keeping them does not keep the frame. */
export function copyBytes(bytes: Buffer, start: number, end: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(start, end));
}

/** Cuts a text of a server to a length that a person reads. */
export function quote(text: string): string {
  return cutText(text, MAX_QUOTED_CHARS);
}
