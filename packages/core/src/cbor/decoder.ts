/**
 * The only place that configures cbor-x for reading. Its input must have passed the strict scan: cbor-x itself would turn tags
 * into dates, regular expressions and record readers, and it hangs on a large bigint.
 */
import { addExtension, Decoder, setExtractor } from "cbor-x/decode-no-eval";
import { createTextTable } from "./text-table.ts";

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
  /** Reads integers of eight bytes as numbers, but decodes those below -2^32 wrongly (`~` cuts them to 32 bits). */
  readonly fast: Decoder<CborValue>;
  /** Reads integers of eight bytes as bigints, correctly. */
  readonly exact: Decoder<WideValue>;
}
let decoders: Decoders | null = null;

/**
 * Blocks up to this size are copied into one buffer before decoding: cbor-x creates a DataView for each input and stores it
 * there as a property, which costs as much as decoding a small record.
 */
const SCRATCH_BYTES = 16_384;
let scratch: Uint8Array | null = null;

/**
 * Decodes one scanned item that fills `bytes`. The result shares no memory with it. `hasWideNegative`: the item contains an integer
 * below -2^32.
 */
export function decodeScanned(bytes: Uint8Array, hasWideNegative: boolean): CborValue {
  decoders ??= createDecoders();
  const { length } = bytes;
  let source: Uint8Array;
  if (length <= SCRATCH_BYTES) {
    scratch ??= new Uint8Array(SCRATCH_BYTES);
    scratch.set(bytes);
    source = scratch;
  } else source = new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  return hasWideNegative
    ? bigintsToNumbers(decoders.exact.decode(source, length))
    : decoders.fast.decode(source, length);
}

function createDecoders(): Decoders {
  const options = { mapsAsObjects: true, useRecords: false, copyBuffers: true };
  const readText = createTextTable();
  setExtractor((position, _end, length, source) => readText(source, position, position + length));
  // The scan has checked that this is a byte string of a zero and a CID.
  addExtension({ tag: 42, decode: (item) => new CidLink(item.subarray(1)) });
  return {
    fast: new Decoder<CborValue>({ ...options, int64AsNumber: true }),
    exact: new Decoder<WideValue>({ ...options, int64AsNumber: false }),
  };
}

/** Recursion is safe: the scan has limited the depth and the integers. */
function bigintsToNumbers(value: WideValue): CborValue {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(bigintsToNumbers);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof CidLink) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bigintsToNumbers(item)]));
}
