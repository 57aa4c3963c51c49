/**
 * Content identifiers (CIDs) in the form that atproto uses: version 1, dag-cbor or raw, sha-256. 36 bytes, or 59 characters of
 * base32. Other CIDs are refused.
 */
import { hash } from "node:crypto";

export const CID_LENGTH = 36;
const TEXT_LENGTH = 59;

const VERSION_1 = 0x01;
export const CODEC_DAG_CBOR = 0x71;
export const CODEC_RAW = 0x55;
const HASH_SHA_256 = 0x12;
const DIGEST_LENGTH = 0x20;
const HEADER_LENGTH = 4;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Whether the 36 bytes from `offset` on are such a CID. */
export function isCid(bytes: Uint8Array, offset = 0): boolean {
  const codec = bytes[offset + 1];
  return (
    offset + CID_LENGTH <= bytes.length &&
    bytes[offset] === VERSION_1 &&
    (codec === CODEC_DAG_CBOR || codec === CODEC_RAW) &&
    bytes[offset + 2] === HASH_SHA_256 &&
    bytes[offset + 3] === DIGEST_LENGTH
  );
}

/** `bafyrei…` or `bafkrei…`. The bytes are not checked: call `isCid` first. */
export function cidToText(cid: Uint8Array): string {
  const text = Buffer.allocUnsafe(TEXT_LENGTH);
  text[0] = 0x62; // "b": base32, lower case, no padding
  let written = 1;
  let bits = 0;
  let buffered = 0;
  for (let index = 0; index < CID_LENGTH; index++) {
    buffered = ((buffered << 8) | (cid[index] ?? 0)) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text[written++] = ALPHABET.charCodeAt((buffered >> bits) & 31);
    }
  }
  text[written] = ALPHABET.charCodeAt((buffered << (5 - bits)) & 31);
  return text.toString("latin1");
}

/** null: not the text of such a CID. Every CID has exactly one text: upper case and extra bits at the end are refused. */
export function cidFromText(text: string): Uint8Array | null {
  if (text.length !== TEXT_LENGTH || text[0] !== "b") return null;
  const cid = new Uint8Array(CID_LENGTH);
  let written = 0;
  let bits = 0;
  let buffered = 0;
  for (let index = 1; index < TEXT_LENGTH; index++) {
    const value = ALPHABET.indexOf(text.charAt(index));
    if (value === -1) return null;
    buffered = ((buffered << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      cid[written++] = (buffered >> bits) & 0xff;
    }
  }
  const strayBits = buffered & ((1 << bits) - 1);
  return strayBits === 0 && isCid(cid) ? cid : null;
}

/** Compares 36 bytes of each, from the given offsets on, without allocating. */
export function cidEquals(left: Uint8Array, right: Uint8Array, leftOffset = 0, rightOffset = 0): boolean {
  if (leftOffset + CID_LENGTH > left.length || rightOffset + CID_LENGTH > right.length) return false;
  // From the end: CIDs of one kind share their first four bytes.
  for (let index = CID_LENGTH - 1; index >= 0; index--) {
    if (left[leftOffset + index] !== right[rightOffset + index]) return false;
  }
  return true;
}

/** Whether the CID names this block. Costs one sha-256. */
export function hashMatches(cid: Uint8Array, block: Uint8Array): boolean {
  return cid.length === CID_LENGTH && isCid(cid) && digestMatches(cid, 0, block);
}

/** The same for a CID inside other bytes, for which `isCid` is true. */
export function digestMatches(bytes: Uint8Array, cidAt: number, block: Uint8Array): boolean {
  // As text: creating a Buffer of the 32 bytes takes three times as long as hashing a record.
  const digest = hash("sha256", block, "binary");
  for (let index = 0; index < DIGEST_LENGTH; index++) {
    if (digest.charCodeAt(index) !== bytes[cidAt + HEADER_LENGTH + index]) return false;
  }
  return true;
}

/** The CID of a block. */
export function cidOf(block: Uint8Array, codec: typeof CODEC_DAG_CBOR | typeof CODEC_RAW = CODEC_DAG_CBOR): Uint8Array {
  const cid = new Uint8Array(CID_LENGTH);
  cid.set([VERSION_1, codec, HASH_SHA_256, DIGEST_LENGTH]);
  cid.set(hash("sha256", block, "buffer"), HEADER_LENGTH);
  return cid;
}
