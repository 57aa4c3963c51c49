/**
 * CBOR for our own messages: plain data with byte strings in it, no tags, no record structures, nothing shared.
 * What is read back passes the same scan as what the network sends, with the rules of a message:
 * finite 64-bit floats are allowed (cbor-x writes integers above 2^32 as such), the order of keys is free, CIDs do not occur.
 */
import { Encoder } from "cbor-x/index-no-eval";
import { type CborValue, decodeScanned } from "./decoder.ts";
import { CborError, refusalOf } from "./refusal.ts";
import { lastScanSawWideNegative, scanItem, type ScanRules } from "./strict-scan.ts";

/** What a message may be made of. Numbers are finite; strings are well-formed; no `undefined`, no class instances. */
export type MessageValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly MessageValue[]
  | { readonly [key: string]: MessageValue };

const MESSAGE_RULES: ScanRules = { sortedKeys: false, cids: false, floats: true };

let encoder: Encoder | null = null;

/**
 * One message in memory of its own.
 * @throws CborError for what could not be read back: a defect of the caller's, better met here than at the other end.
 */
export function encodeMessage(value: MessageValue): Uint8Array {
  encoder ??= new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false });
  // The encoder's result is a view into a buffer of many messages, and would keep all of it alive.
  const message = new Uint8Array(encoder.encode(value));
  scanMessage(message);
  return message;
}

/**
 * The value in a message; its memory is its own. Its shape is the caller's to check.
 * @throws CborError for anything that `encodeMessage` would not have written.
 */
export function decodeMessage(message: Uint8Array): CborValue {
  scanMessage(message);
  return decodeScanned(message, lastScanSawWideNegative());
}

function scanMessage(message: Uint8Array): void {
  const end = scanItem(message, 0, message.length, MESSAGE_RULES);
  if (end < 0) throw new CborError(refusalOf(end));
  if (end !== message.length) throw new CborError("trailing-bytes");
}
