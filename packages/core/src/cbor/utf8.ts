/** Checks UTF-8 in place: shortest forms only, no surrogates, nothing above U+10FFFF. */
import { isUtf8 } from "node:buffer";

/** From this length on, the native check is faster than the loop, including the cost of the view. */
const NATIVE_FROM_BYTES = 256;

export function isValidUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start >= NATIVE_FROM_BYTES) return isUtf8(bytes.subarray(start, end));
  return isAscii(bytes, start, end) || isShortestForm(bytes, start, end);
}

/** Nearly all text is ASCII, so the loop does not stop early: it checks the result once at the end. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let seenBits = 0;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    seenBits |= (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) | (bytes[at + 2] ?? 0) | (bytes[at + 3] ?? 0);
  }
  for (; at < end; at++) seenBits |= bytes[at] ?? 0;
  return seenBits < 0x80;
}

function isShortestForm(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++] ?? 0;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const second = bytes[at] ?? 0;
    if (lead < 0xe0) {
      if (at + 1 > end || (second & 0xc0) !== 0x80) return false;
      at += 1;
      continue;
    }
    // The second byte is enough to detect overlong forms, surrogates and values above U+10FFFF.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const following = lead < 0xf0 ? 2 : 3;
    if (at + following > end || second < lowest || second > highest) return false;
    for (let index = 1; index < following; index++) {
      if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) return false;
    }
    at += following;
  }
  return true;
}
