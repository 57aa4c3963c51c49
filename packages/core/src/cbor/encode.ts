/**
 * CBOR for our own messages: plain data with byte strings, no tags, no record structures, no shared values.
 * Decoding passes the same scan as data from the network, with the rules for messages: finite 64-bit floats are
 * allowed (cbor-x writes integers above 2^32 as floats), keys may have any order, CIDs do not occur.
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
 * Encodes one message; the result has its own memory.
 * @throws CborError for a value that could not be read back: a bug of the caller, found here and not by the receiver
 */
export function encodeMessage(value: MessageValue): Uint8Array {
  encoder ??= new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false });
  // The encoder returns a view into a buffer of many messages; keeping it would keep the whole buffer alive.
  const message = new Uint8Array(encoder.encode(value));
  scanMessage(message);
  return message;
}

/**
 * Decodes a message; the value has its own memory. The caller checks its shape.
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
