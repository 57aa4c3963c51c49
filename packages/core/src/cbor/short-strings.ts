/**
 * Reads strings out of CBOR for cbor-x. Records say the same few short strings over and over (keys, $type, languages):
 * a small table hands out the one that was made before instead of making it anew.
 */
const SLOTS = 2_048;
const MAX_LENGTH = 32;

/** They work on any Uint8Array, without a Buffer to make first; the types of Node do not list them. */
const native: Record<"latin1Slice" | "utf8Slice", (this: Uint8Array, start: number, end: number) => string> =
  Buffer.prototype;

/** The table never grows: 2,048 strings of at most 32 characters, the newest of two in the same slot stays. */
export function createStringReader(): (position: number, end: number, length: number, source: Uint8Array) => string {
  const known: (string | undefined)[] = Array.from({ length: SLOTS });

  return (position, _end, length, source) => {
    const stop = position + length;
    // Not a TextDecoder: it would swallow a byte order mark, and the native call is faster for short strings.
    if (length > MAX_LENGTH) return native.utf8Slice.call(source, position, stop);

    let hash = length;
    let seenBits = 0;
    for (let at = position; at < stop; at++) {
      const byte = source[at] ?? 0;
      seenBits |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (seenBits > 0x7f) return native.utf8Slice.call(source, position, stop);

    const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1);
    const candidate = known[slot];
    if (candidate !== undefined && isSame(candidate, source, position, length)) return candidate;
    const text = native.latin1Slice.call(source, position, stop);
    known[slot] = text;
    return text;
  };
}

function isSame(text: string, source: Uint8Array, position: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) !== source[position + index]) return false;
  }
  return true;
}
