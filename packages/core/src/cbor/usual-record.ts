/**
 * Decodes a record in one pass over its block: it checks each item as the strict scan does, and makes its value at once. It gives up at
 * everything that the scan refuses, and at a few things that are rare. Then decode-record.ts asks the scan for the reason, or has the
 * record decoded by cbor-x. So nothing is permitted here that the scan refuses.
 */
import { CID_LENGTH, isCid } from "../cid.ts";
import { type CborMap, type CborValue, CidLink } from "./decoder.ts";
import { ARRAY, BYTES, headLength, MAP, NEGATIVE, readArgument, TAG, TEXT, UNSIGNED } from "./head.ts";
import { createKeyTable, createValueTable } from "./record-texts.ts";
import { MAX_CONTAINER_ITEMS, MAX_DEPTH } from "./strict-scan.ts";

/** The result for an item that is not read here. CBOR's undefined is never permitted, so no item has this value. */
type GivenUp = undefined;

const TEXT_HEAD = 0x60;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
/** Longer keys are rare. */
const MAX_KEY = 23;
/** The tag of a link, and what follows it before the CID: the head of a byte string, and a zero. */
const LINK = 42;
const BEFORE_CID = 3;

const NOTHING = /* @__PURE__ */ new Uint8Array(0);
// As calls that a bundler may leave out: a bundle that only reads records by the scan need not hold this file.
const keys = /* @__PURE__ */ createKeyTable();
const texts = /* @__PURE__ */ createValueTable();

// The block that is read now, and where its next item begins. Blocks are read one after the other: nothing here waits.
let bytes: Uint8Array = NOTHING;
let at = 0;
let end = 0;

/** The record shares no memory with the block. null: the scan has to say what is wrong, or it is not usual. */
export function readUsualRecord(block: Uint8Array): CborMap | null {
  const initial = block[0] ?? 0;
  if (initial >> 5 !== MAP) return null;
  bytes = block;
  at = 0;
  end = block.length;
  texts.begin(block);
  const length = readHead(initial);
  const record = length < 0 ? undefined : readMap(length, 0);
  const isWhole = at === end;
  bytes = NOTHING;
  texts.begin(NOTHING);
  return isWhole && record !== undefined ? record : null;
}

/** The number in the head at `at`, whose first byte is `initial`. Below zero: it is refused. */
function readHead(initial: number): number {
  const value = initial & 31;
  if (value < 24) {
    at += 1;
    return value;
  }
  const argument = readArgument(bytes, at, end);
  at += headLength(initial);
  return argument;
}

/** `depth` is the number of containers around the item. */
function readItem(depth: number): CborValue | GivenUp {
  if (at >= end) return undefined;
  const initial = bytes[at] ?? 0;
  const major = initial >> 5;
  if (major > TAG) {
    if (initial < FALSE || initial > NULL) return undefined;
    at += 1;
    return initial === NULL ? null : initial === TRUE;
  }
  const value = readHead(initial);
  if (value < 0) return undefined;
  switch (major) {
    case TEXT:
      return readText(value);
    case MAP:
      return readMap(value, depth);
    case ARRAY:
      return readList(value, depth);
    case UNSIGNED:
      return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
    case NEGATIVE:
      return value < Number.MAX_SAFE_INTEGER ? -1 - value : undefined;
    case BYTES:
      return readBytes(value);
    default:
      return value === LINK ? readLink() : undefined;
  }
}

function readMap(items: number, depth: number): CborMap | GivenUp {
  if (depth === MAX_DEPTH || items > MAX_CONTAINER_ITEMS || 2 * items > end - at) return undefined;
  const map: Record<string, CborValue> = {};
  let lastStart = 0;
  let lastLength = -1;
  for (let left = items; left > 0; left--) {
    const length = (bytes[at] ?? 0) - TEXT_HEAD;
    const start = at + 1;
    if (length < lastLength || length < 0 || length > MAX_KEY || length > end - start) return undefined;
    if (length === lastLength && !isBefore(lastStart, start, length)) return undefined;
    const key = keys(bytes, start, start + length);
    if (key === undefined) return undefined;
    at = start + length;
    lastStart = start;
    lastLength = length;
    const item = readItem(depth + 1);
    if (item === undefined) return undefined;
    map[key] = item;
  }
  return map;
}

/** Whether the bytes at `left` come before those at `right`, and are not the same. */
function isBefore(left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    const difference = (bytes[left + index] ?? 0) - (bytes[right + index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function readList(items: number, depth: number): readonly CborValue[] | GivenUp {
  if (depth === MAX_DEPTH || items > MAX_CONTAINER_ITEMS || items > end - at) return undefined;
  const list: CborValue[] = [];
  for (let left = items; left > 0; left--) {
    const item = readItem(depth + 1);
    if (item === undefined) return undefined;
    list.push(item);
  }
  return list;
}

function readText(length: number): string | GivenUp {
  const start = at;
  if (length > end - start) return undefined;
  at = start + length;
  return texts.read(start, at);
}

function readBytes(length: number): Uint8Array | GivenUp {
  if (length > end - at) return undefined;
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(at, at + length));
  at += length;
  return copy;
}

function readLink(): CidLink | GivenUp {
  const start = at + BEFORE_CID;
  if (start + CID_LENGTH > end) return undefined;
  const isPrefixed = bytes[at] === 0x58 && bytes[at + 1] === CID_LENGTH + 1 && bytes[at + 2] === 0;
  if (!isPrefixed || !isCid(bytes, start)) return undefined;
  at = start + CID_LENGTH;
  const cid = new Uint8Array(CID_LENGTH);
  for (let index = 0; index < CID_LENGTH; index++) cid[index] = bytes[start + index] ?? 0;
  return new CidLink(cid);
}
