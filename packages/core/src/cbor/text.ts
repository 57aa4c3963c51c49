/** Decodes text with Node's own functions, which work on any Uint8Array, although Node's types do not say so. */
const native: Record<"latin1Slice" | "utf8Slice", (this: Uint8Array, start: number, end: number) => string> =
  Buffer.prototype;

/** Decodes the bytes between two offsets, which must all be below 0x80. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return native.latin1Slice.call(bytes, start, end);
}

/** Decodes the bytes between two offsets, which must be valid UTF-8. A TextDecoder would drop a byte order mark. */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return native.utf8Slice.call(bytes, start, end);
}
