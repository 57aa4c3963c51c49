/** Heads of CBOR items: the first byte and the number that follows it. */
import { refused } from "./refusal.ts";

/** The major types: the upper three bits of a head's first byte. The seventh has no number but a simple value or a float. */
export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;

const TRUNCATED = refused("truncated");
const NON_MINIMAL = refused("non-minimal");
const INDEFINITE_LENGTH = refused("indefinite-length");
const RESERVED = refused("reserved");

/** The length in bytes of the head that begins with this byte. */
export function headLength(initial: number): number {
  const info = initial & 31;
  return info < 24 ? 1 : 1 + (1 << (info - 24));
}

/** The length in bytes of the head for this number, which is below 2^32. */
export function argumentLength(value: number): number {
  if (value < 24) return 1;
  if (value < 0x100) return 2;
  return value < 0x1_0000 ? 3 : 5;
}

/** Writes the shortest head for a number below 2^32; returns where it ends. */
export function writeHead(bytes: Uint8Array, at: number, major: number, value: number): number {
  const type = major << 5;
  if (value < 24) {
    bytes[at] = type | value;
    return at + 1;
  }
  if (value < 0x100) {
    bytes[at] = type | 24;
    bytes[at + 1] = value;
    return at + 2;
  }
  if (value < 0x1_0000) {
    bytes[at] = type | 25;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value;
    return at + 3;
  }
  bytes[at] = type | 26;
  bytes[at + 1] = value >>> 24;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 8;
  bytes[at + 4] = value;
  return at + 5;
}

/**
 * The number in an item's head, which must be in its shortest form; for a number above 2^53 - 1, some number above 2^53 - 1.
 * A negative result is a refusal. `at` must be before `end`.
 */
export function readArgument(bytes: Uint8Array, at: number, end: number): number {
  const info = (bytes[at] ?? 0) & 31;
  if (info < 24) return info;
  if (info > 27) return info === 31 ? INDEFINITE_LENGTH : RESERVED;
  if (at + 1 + (1 << (info - 24)) > end) return TRUNCATED;
  if (info === 24) {
    const value = bytes[at + 1] ?? 0;
    return value < 24 ? NON_MINIMAL : value;
  }
  if (info === 25) {
    const value = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    return value < 0x100 ? NON_MINIMAL : value;
  }
  const high = readUint32(bytes, at + 1);
  if (info === 26) return high < 0x1_0000 ? NON_MINIMAL : high;
  return high === 0 ? NON_MINIMAL : high * 0x1_0000_0000 + readUint32(bytes, at + 5);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) * 0x100_0000 + (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0))
  );
}
