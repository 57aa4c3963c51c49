/**
 * Checks the identifiers of atproto in place, byte by byte: DIDs, revisions (TIDs), collections and record keys.
 * All of them are ASCII.
 */

const TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";
const TID_LENGTH = 13;
/** 11 characters of 5 bits: two leading zeros and the 53 bits of microseconds. */
const TID_TIME_LENGTH = 11;
const MAX_DID = 2048;
const MAX_NSID = 317;
const MAX_RKEY = 512;

const DOT = 0x2e;
const COLON = 0x3a;
const PERCENT = 0x25;
const DID_PREFIX = Buffer.from("did:");

const ALLOWED = 1;
const DID_CHARS = charTable("._:%-");
const NSID_CHARS = charTable(".-");
const RKEY_CHARS = charTable("._~:-");
const TID_VALUES = tidValues();

export function isDid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 8 || end - start > MAX_DID || !hasOnly(bytes, start, end, DID_CHARS)) return false;
  for (let at = 0; at < DID_PREFIX.length; at++) {
    if (bytes[start + at] !== DID_PREFIX[at]) return false;
  }
  const last = bytes[end - 1];
  const methodStart = start + DID_PREFIX.length;
  let methodEnd = methodStart;
  while (methodEnd < end && bytes[methodEnd] !== COLON) methodEnd++;
  return methodEnd > methodStart && methodEnd < end && last !== COLON && last !== PERCENT;
}

export function isTid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== TID_LENGTH) return false;
  for (let at = start; at < end; at++) {
    if ((TID_VALUES[bytes[at] ?? 0] ?? -1) < 0) return false;
  }
  return (TID_VALUES[bytes[start] ?? 0] ?? -1) < 16;
}

/** Milliseconds since the epoch, from the valid TID at `start`. */
export function tidTimeMs(bytes: Uint8Array, start: number): number {
  let micros = 0;
  for (let at = start; at < start + TID_TIME_LENGTH; at++) micros = micros * 32 + (TID_VALUES[bytes[at] ?? 0] ?? 0);
  return micros / 1000;
}

/** At least three dot-separated parts of letters, digits and hyphens. */
export function isNsid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_NSID || !hasOnly(bytes, start, end, NSID_CHARS)) return false;
  let dots = 0;
  let partStart = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== DOT) continue;
    if (at === partStart) return false;
    partStart = at + 1;
    dots++;
  }
  return dots >= 2 && partStart < end;
}

export function isRecordKey(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length > MAX_RKEY || !hasOnly(bytes, start, end, RKEY_CHARS)) return false;
  return length > 2 || bytes[start] !== DOT || (length === 2 && bytes[start + 1] !== DOT);
}

function hasOnly(bytes: Uint8Array, start: number, end: number, table: Uint8Array): boolean {
  for (let at = start; at < end; at++) {
    if (table[bytes[at] ?? 0] !== ALLOWED) return false;
  }
  return true;
}

function charTable(extra: string): Uint8Array {
  const table = new Uint8Array(256);
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (const char of `0123456789${letters}${letters.toUpperCase()}${extra}`) table[char.charCodeAt(0)] = ALLOWED;
  return table;
}

function tidValues(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  for (let value = 0; value < TID_ALPHABET.length; value++) table[TID_ALPHABET.charCodeAt(value)] = value;
  return table;
}
