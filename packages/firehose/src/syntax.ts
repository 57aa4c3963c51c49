/** The identifiers of atproto, checked character by character: DIDs, revisions (TIDs), collections and record keys. */

const TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";
const TID_LENGTH = 13;
/** 11 characters of 5 bits: the 53 bits of microseconds, and two leading zeros. */
const TID_TIME_LENGTH = 11;
const MAX_DID = 2048;
const MAX_NSID = 317;
const MAX_RKEY = 512;

const ALNUM = 1;
const DID_CHARS = charTable("._:%-");
const NSID_CHARS = charTable(".-");
const RKEY_CHARS = charTable("._~:-");
const TID_VALUES = tidValues();

export function isDid(text: string): boolean {
  if (text.length < 8 || text.length > MAX_DID || !text.startsWith("did:")) return false;
  const last = text.charCodeAt(text.length - 1);
  return text.indexOf(":", 4) > 4 && last !== 0x3a && last !== 0x25 && hasOnly(text, 4, DID_CHARS);
}

export function isTid(text: string): boolean {
  if (text.length !== TID_LENGTH) return false;
  for (let at = 0; at < TID_LENGTH; at++) {
    if (tidValue(text, at) < 0) return false;
  }
  return tidValue(text, 0) < 16;
}

/** Milliseconds since the epoch that a valid TID carries. */
export function tidTimeMs(tid: string): number {
  let micros = 0;
  for (let at = 0; at < TID_TIME_LENGTH; at++) micros = micros * 32 + tidValue(tid, at);
  return micros / 1000;
}

/** At least three dot-separated parts of letters, digits and hyphens. */
export function isNsid(text: string): boolean {
  if (text.length > MAX_NSID || !hasOnly(text, 0, NSID_CHARS)) return false;
  const first = text.indexOf(".");
  const last = text.lastIndexOf(".");
  return first > 0 && last > first && last < text.length - 1 && !text.includes("..");
}

export function isRecordKey(text: string): boolean {
  if (text.length === 0 || text.length > MAX_RKEY || text === "." || text === "..") return false;
  return hasOnly(text, 0, RKEY_CHARS);
}

function hasOnly(text: string, from: number, table: Uint8Array): boolean {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || table[code] !== ALNUM) return false;
  }
  return true;
}

function tidValue(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (TID_VALUES[code] ?? -1) : -1;
}

function charTable(extra: string): Uint8Array {
  const table = new Uint8Array(128);
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (const char of `0123456789${letters}${letters.toUpperCase()}${extra}`) table[char.charCodeAt(0)] = ALNUM;
  return table;
}

function tidValues(): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (let value = 0; value < TID_ALPHABET.length; value++) table[TID_ALPHABET.charCodeAt(value)] = value;
  return table;
}
