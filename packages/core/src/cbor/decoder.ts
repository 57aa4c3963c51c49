/**
 * The one place that configures cbor-x for reading. It may only be given what the strict scan has let through:
 * by itself it builds dates, regular expressions and record readers out of tags, and hangs on a large bigint.
 */
import { addExtension, Decoder, setExtractor } from "cbor-x/decode-no-eval";
import { createStringReader } from "./short-strings.ts";

/** A CID inside a record. */
export class CidLink {
  /** 36 bytes. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

export type CborMap = { readonly [key: string]: CborValue };
export type CborValue = null | boolean | number | string | Uint8Array | CidLink | readonly CborValue[] | CborMap;

export function isCborMap(value: CborValue): value is CborMap {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof CidLink);
}

/** Array.isArray alone does not tell a readonly array from an object. */
export function isCborList(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}

/** The head of a negative integer of eight bytes, and the first of the eight: zero in all that the scan lets through. */
const WIDE_NEGATIVE = 0x3b;
const WIDE_NEGATIVE_NEXT = 0x00;
/** 0x3b is also a semicolon, and a text may hold a million of them. */
const MAX_LOOKS = 100;

type WideValue =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | CidLink
  | WideValue[]
  | { readonly [key: string]: WideValue };

interface Decoders {
  /** Reads integers of eight bytes as numbers, but takes all below -2^32 for others (`~` cuts them to 32 bits). */
  readonly fast: Decoder<CborValue>;
  /** Reads them as bigints, and right. */
  readonly exact: Decoder<WideValue>;
}
let decoders: Decoders | null = null;

/** Decodes one scanned item that fills `bytes`. The result has memory of its own. */
export function decodeScanned(bytes: Uint8Array): CborValue {
  decoders ??= createDecoders();
  // A view of our own: cbor-x leaves a property on the object that it is given.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return mayHoldWideNegative(view) ? bigintsToNumbers(decoders.exact.decode(view)) : decoders.fast.decode(view);
}

/** True also where the two bytes are part of something else, or where it would take long to tell: the slower way is never wrong. */
function mayHoldWideNegative(bytes: Uint8Array): boolean {
  let at = bytes.indexOf(WIDE_NEGATIVE);
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    if (at === -1) return false;
    if (bytes[at + 1] === WIDE_NEGATIVE_NEXT) return true;
    at = bytes.indexOf(WIDE_NEGATIVE, at + 1);
  }
  return true;
}

function createDecoders(): Decoders {
  const options = { mapsAsObjects: true, useRecords: false, copyBuffers: true };
  setExtractor(createStringReader());
  // The scan has seen that it is a byte string of a zero and a CID.
  addExtension({ tag: 42, decode: (item) => new CidLink(item.subarray(1)) });
  return {
    fast: new Decoder<CborValue>({ ...options, int64AsNumber: true }),
    exact: new Decoder<WideValue>({ ...options, int64AsNumber: false }),
  };
}

/** The scan has bounded depth and integers. */
function bigintsToNumbers(value: WideValue): CborValue {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(bigintsToNumbers);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof CidLink) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bigintsToNumbers(item)]));
}
