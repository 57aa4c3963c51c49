/** Text out of bytes by Node's own functions, which work on any Uint8Array; its types list them for no class. */
const native: Record<"latin1Slice" | "utf8Slice", (this: Uint8Array, start: number, end: number) => string> =
  Buffer.prototype;

/** The bytes between two offsets, all of them below 0x80. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return native.latin1Slice.call(bytes, start, end);
}

/** The bytes between two offsets, known to be UTF-8. Not a TextDecoder: it would swallow a byte order mark. */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return native.utf8Slice.call(bytes, start, end);
}
