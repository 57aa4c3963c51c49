/**
 * Reuses strings: records and events contain the same few short strings again and again (keys, $type, languages,
 * collections), so a small table returns the string that was made before instead of a new one.
 */
import { asciiText, utf8Text } from "./text.ts";

const SLOTS = 2_048;
const MAX_LENGTH = 32;

/** Reads the UTF-8 text between two offsets. */
export type ReadText = (bytes: Uint8Array, start: number, end: number) => string;

/** The table has a fixed size: 2,048 strings of at most 32 characters. Of two strings for one slot, the newer one stays. */
export function createTextTable(): ReadText {
  const known: (string | undefined)[] = Array.from({ length: SLOTS });

  return (bytes, start, end) => {
    const length = end - start;
    if (length > MAX_LENGTH) return utf8Text(bytes, start, end);

    let hash = length;
    let seenBits = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      seenBits |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (seenBits > 0x7f) return utf8Text(bytes, start, end);

    const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1);
    const candidate = known[slot];
    if (candidate !== undefined && isSame(candidate, bytes, start, length)) return candidate;
    const text = asciiText(bytes, start, end);
    known[slot] = text;
    return text;
  };
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
