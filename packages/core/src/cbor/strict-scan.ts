/**
 * The check before any decoder: walks DAG-CBOR without building anything and refuses whatever atproto does not permit.
 * It is iterative and allocates nothing, so that no input can make it deep, slow or large. Hostile records do arrive,
 * because relays check the size of a record block and not its content.
 *
 * Stricter than DAG-CBOR: no floats, integers within ±(2^53 - 1), CIDs of cid.ts only, depth 32, 131,072 items a container,
 * and no `__proto__` key.
 */
import { CID_LENGTH, isCid } from "../cid.ts";
import { ARRAY, BYTES, headLength, MAP, NEGATIVE, readArgument, TAG, TEXT, UNSIGNED } from "./head.ts";
import { CborError, refusalOf, refused } from "./refusal.ts";
import { isValidUtf8 } from "./utf8.ts";

export interface ScanRules {
  /** Keys must be sorted by length, then bytes, without duplicates. */
  readonly sortedKeys: boolean;
  /** Allows tag 42 over a CID; other tags are never allowed. */
  readonly cids: boolean;
  /** Allows finite 64-bit floats; shorter floats are never allowed. */
  readonly floats: boolean;
}

/** What atproto permits in a record or a frame. */
export const ATPROTO_RULES: ScanRules = { sortedKeys: true, cids: true, floats: false };

export const MAX_DEPTH = 32;
export const MAX_CONTAINER_ITEMS = 131_072;

/**
 * Returns where the one item that begins at `start` ends. Bytes after it are not checked.
 * @throws CborError
 */
export function skipItem(bytes: Uint8Array, start: number, end: number): number {
  const result = scanItem(bytes, start, end, ATPROTO_RULES);
  if (result < 0) throw new CborError(refusalOf(result));
  return result;
}

const TRUNCATED = refused("truncated");
const DEPTH = refused("depth");
const TOO_MANY_ITEMS = refused("too-many-items");
const INDEFINITE_LENGTH = refused("indefinite-length");
const INTEGER_RANGE = refused("integer-range");
const INVALID_UTF8 = refused("invalid-utf8");
const KEY_TYPE = refused("key-type");
const KEY_ORDER = refused("key-order");
const DUPLICATE_KEY = refused("duplicate-key");
const PROTO_KEY = refused("proto-key");
const BAD_TAG = refused("bad-tag");
const BAD_CID = refused("bad-cid");
const FLOAT = refused("float");
const SIMPLE_VALUE = refused("simple-value");

// The open containers of the current scan. Scans never overlap: they are synchronous and call nothing else.
const itemsLeft = new Int32Array(MAX_DEPTH + 1);
const isMap = new Uint8Array(MAX_DEPTH + 1);
const lastKeyStart = new Int32Array(MAX_DEPTH + 1);
const lastKeyLength = new Int32Array(MAX_DEPTH + 1);

let sawWideNegative = false;

/** Whether the last scan passed an integer below -2^32. */
export function lastScanSawWideNegative(): boolean {
  return sawWideNegative;
}

/** Like `skipItem`, for any rules, and without creating an error: a negative result is a refusal. */
export function scanItem(bytes: Uint8Array, start: number, end: number, rules: ScanRules): number {
  let at = start;
  let depth = 0;
  sawWideNegative = false;
  for (;;) {
    if (depth > 0 && isMap[depth] === 1) {
      const afterKey = scanKey(bytes, at, end, depth, rules.sortedKeys);
      if (afterKey < 0) return afterKey;
      at = afterKey;
    }

    if (at >= end) return TRUNCATED;
    const initial = bytes[at] ?? 0;
    const major = initial >> 5;
    if (major > TAG) {
      at = scanSimple(bytes, at, end, rules.floats);
      if (at < 0) return at;
    } else {
      // Most heads are one byte.
      let value = initial & 31;
      if (value < 24) at += 1;
      else {
        value = readArgument(bytes, at, end);
        if (value < 0) return value;
        at += headLength(initial);
      }
      if (major === UNSIGNED || major === NEGATIVE) {
        // The decoded value is -1 - value, which must be a safe integer, too.
        if (value + major > Number.MAX_SAFE_INTEGER) return INTEGER_RANGE;
        if (major === NEGATIVE && value >= 2 ** 32) sawWideNegative = true;
      } else if (major === BYTES || major === TEXT) {
        if (value > end - at) return TRUNCATED;
        if (major === TEXT && !isValidUtf8(bytes, at, at + value)) return INVALID_UTF8;
        at += value;
      } else if (major === TAG) {
        if (value !== 42 || !rules.cids) return BAD_TAG;
        at = scanCid(bytes, at, end);
        if (at < 0) return at;
      } else if (major === ARRAY || major === MAP) {
        if (value > MAX_CONTAINER_ITEMS) return TOO_MANY_ITEMS;
        if (value * (major - ARRAY + 1) > end - at) return TRUNCATED;
        if (depth === MAX_DEPTH) return DEPTH;
        if (value > 0) {
          depth += 1;
          itemsLeft[depth] = value;
          isMap[depth] = major - ARRAY;
          lastKeyLength[depth] = -1;
          continue;
        }
      }
    }

    // An item is complete; if it was the last one of its container, the container is complete, too.
    while (depth > 0) {
      const left = (itemsLeft[depth] ?? 0) - 1;
      itemsLeft[depth] = left;
      if (left > 0) break;
      depth -= 1;
    }
    if (depth === 0) return at;
  }
}

function scanKey(bytes: Uint8Array, start: number, end: number, depth: number, isSorted: boolean): number {
  if (start >= end) return TRUNCATED;
  const initial = bytes[start] ?? 0;
  if (initial >> 5 !== TEXT) return KEY_TYPE;
  let length = initial & 31;
  let at = start + 1;
  if (length > 23) {
    length = readArgument(bytes, start, end);
    if (length < 0) return length;
    at = start + headLength(initial);
  }
  if (length > end - at) return TRUNCATED;
  if (!isValidUtf8(bytes, at, at + length)) return INVALID_UTF8;
  // JavaScript objects cannot hold it as an ordinary key; libraries drop or rename it silently.
  if (length === 9 && isProto(bytes, at)) return PROTO_KEY;
  if (isSorted) {
    const lastLength = lastKeyLength[depth] ?? -1;
    if (length < lastLength) return KEY_ORDER;
    if (length === lastLength) {
      const order = compareBytes(bytes, lastKeyStart[depth] ?? 0, at, length);
      if (order >= 0) return order === 0 ? DUPLICATE_KEY : KEY_ORDER;
    }
    lastKeyStart[depth] = at;
    lastKeyLength[depth] = length;
  }
  return at + length;
}

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 9; index++) {
    if (bytes[at + index] !== "__proto__".charCodeAt(index)) return false;
  }
  return true;
}

function compareBytes(bytes: Uint8Array, left: number, right: number, length: number): number {
  for (let index = 0; index < length; index++) {
    const difference = (bytes[left + index] ?? 0) - (bytes[right + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Scans what follows tag 42: a byte string of a zero and the CID. */
function scanCid(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 + CID_LENGTH > end) return at >= end ? TRUNCATED : BAD_CID;
  const isPrefixed = bytes[at] === 0x58 && bytes[at + 1] === CID_LENGTH + 1 && bytes[at + 2] === 0;
  return isPrefixed && isCid(bytes, at + 3) ? at + 3 + CID_LENGTH : BAD_CID;
}

function scanSimple(bytes: Uint8Array, at: number, end: number, floats: boolean): number {
  const initial = bytes[at] ?? 0;
  if (initial >= 0xf4 && initial <= 0xf6) return at + 1; // false, true, null
  if (initial === 0xff) return INDEFINITE_LENGTH; // a "break" with nothing to end
  if (initial < 0xf9 || initial > 0xfb) return SIMPLE_VALUE;
  if (!floats || initial !== 0xfb) return FLOAT;
  if (at + 9 > end) return TRUNCATED;
  // Infinities and NaN: all eleven bits of the exponent are set.
  const isFinite = ((bytes[at + 1] ?? 0) & 0x7f) !== 0x7f || (bytes[at + 2] ?? 0) < 0xf0;
  return isFinite ? at + 9 : FLOAT;
}
