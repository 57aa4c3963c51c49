/**
 * Writes a record's block as JSON text for jsonb, in atproto's own form: `{"$link": "bafy…"}`, `{"$bytes": "…"}`. The text is made out of the
 * bytes that the strict scan has passed, without an object in between. It says the same as `recordToJson` says of the decoded record, in the
 * order of the block.
 */
import { CID_LENGTH, cidToText } from "../cid.ts";
import { BadRecordError, scanRecord } from "./decode-record.ts";
import { ARRAY, BYTES, headLength, MAP, NEGATIVE, readArgument, TAG, TEXT, UNSIGNED } from "./head.ts";
import { createTextTable, type ReadText } from "./text-table.ts";

const FALSE = 0xf4;
const TRUE = 0xf5;

/** What follows tag 42 before the CID: the head of a byte string, and a zero. */
const BEFORE_CID = 3;

/** What JSON does not take as it is: control characters, the quotation mark and the backslash. */
const IS_ESCAPED = /[^ !#-[\]-\uFFFF]/;

let readText: ReadText | null = null;
/** Where the next item begins. Blocks are read one after the other: nothing here waits. */
let at = 0;

/**
 * The text of one JSON object.
 * @throws BadRecordError for anything else than one map of strict DAG-CBOR, and `nul-character`: a key or a string holds U+0000, which jsonb
 * cannot hold.
 */
export function recordText(block: Uint8Array): string {
  scanRecord(block);
  readText ??= createTextTable();
  at = 0;
  return itemText(block, readText);
}

/** Recursion is safe: the scan has limited the depth. */
function itemText(bytes: Uint8Array, read: ReadText): string {
  const initial = bytes[at] ?? 0;
  const major = initial >> 5;
  if (major > TAG) {
    at += 1;
    if (initial === FALSE) return "false";
    return initial === TRUE ? "true" : "null";
  }
  const value = readHead(bytes);
  switch (major) {
    case UNSIGNED:
      return String(value);
    case NEGATIVE:
      return String(-1 - value);
    case BYTES:
      return bytesText(bytes, value);
    case TEXT:
      return stringText(bytes, value, read);
    case ARRAY:
      return listText(bytes, value, read);
    case MAP:
      return mapText(bytes, value, read);
    default:
      return linkText(bytes);
  }
}

function readHead(bytes: Uint8Array): number {
  const initial = bytes[at] ?? 0;
  const value = readArgument(bytes, at, bytes.length);
  at += headLength(initial);
  return value;
}

function stringText(bytes: Uint8Array, length: number, read: ReadText): string {
  const start = at;
  at += length;
  const text = read(bytes, start, at);
  if (!IS_ESCAPED.test(text)) return `"${text}"`;
  if (text.includes("\0")) throw new BadRecordError("nul-character");
  return JSON.stringify(text);
}

function listText(bytes: Uint8Array, items: number, read: ReadText): string {
  let text = "[";
  for (let index = 0; index < items; index++) {
    if (index > 0) text += ",";
    text += itemText(bytes, read);
  }
  return `${text}]`;
}

function mapText(bytes: Uint8Array, items: number, read: ReadText): string {
  let text = "{";
  for (let index = 0; index < items; index++) {
    if (index > 0) text += ",";
    text += `${stringText(bytes, readHead(bytes), read)}:`;
    text += itemText(bytes, read);
  }
  return `${text}}`;
}

/** Without padding, in the ordinary alphabet. */
function bytesText(bytes: Uint8Array, length: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("base64");
  at += length;
  return `{"$bytes":"${text.replace(/=+$/, "")}"}`;
}

function linkText(bytes: Uint8Array): string {
  const start = at + BEFORE_CID;
  at = start + CID_LENGTH;
  return `{"$link":"${cidToText(bytes.subarray(start, at))}"}`;
}
