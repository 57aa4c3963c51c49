/** Limits the size of the items of a run and of a pace, whatever the input is: texts are shortened, lists are cut. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { BrokenStateError } from "./errors.ts";
import type { TuneRecord } from "./pace.ts";

/** Bytes of UTF-8. */
export const MAX_REASON_BYTES = 120;
const MAX_DATABASE_NAME_BYTES = 60;
/** Three are in use. */
const MAX_SKIPS = { reasons: 5, bytes: 24 };
const MAX_DEADS = { reasons: 8, bytes: 20 };
const MAX_TUNES = 5;
const MAX_TUNES_BYTES = 600;
const MAX_TUNE_CHANGES = 12;
const MAX_TUNE_TEXT_BYTES = 48;

/** Like `shorten`, for a sentence: it is cut at the end of a word, and an ellipsis shows that it was longer. */
export function shortenText(text: string, maxBytes: number = MAX_REASON_BYTES): string {
  const whole = shorten(text, maxBytes);
  if (whole === text.toWellFormed()) return whole;
  const short = shorten(text, maxBytes - Buffer.byteLength(ELLIPSIS));
  const lastSpace = short.lastIndexOf(" ");
  return `${lastSpace > short.length / 2 ? short.slice(0, lastSpace) : short}${ELLIPSIS}`;
}

const ELLIPSIS = "…";

/** The first `maxBytes` bytes of the text, never half a character. */
export function shorten(text: string, maxBytes: number): string {
  // A character takes at least one byte, so a longer text is cut before it is encoded.
  const bytes = Buffer.from(text.slice(0, maxBytes + 1).toWellFormed());
  if (bytes.byteLength <= maxBytes) return bytes.toString();
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** The beginning of a host and the end of a database name distinguish it from others, so a text that is too long loses its middle. */
export function shortenName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_DATABASE_NAME_BYTES) return name;
  const half = (MAX_DATABASE_NAME_BYTES - Buffer.byteLength("…")) / 2;
  const end = Buffer.from(name.slice(-half).toWellFormed()).subarray(-Math.floor(half));
  return `${shorten(name, Math.floor(half))}…${end.toString().replaceAll("\u{FFFD}", "")}`;
}

export function shortenOrNull(text: string | null): string | null {
  return text === null ? null : shortenText(text);
}

/** Sums by reason. Reasons after the fourth are counted as `other`, so that the sum stays complete. */
export function addSkipped(to: Counts, add: Counts): Record<string, number> {
  return addReasons(to, add, MAX_SKIPS);
}

/** Like addSkipped(), for dead events, up to the seventh reason; a correction subtracts. Reasons that reach 0 are removed. */
export function addDeadReasons(to: Counts, add: Counts): Record<string, number> {
  return Object.fromEntries(Object.entries(addReasons(to, add, MAX_DEADS)).filter(([, count]) => count !== 0));
}

type Counts = Readonly<Record<string, number>>;

function addReasons(to: Counts, add: Counts, most: typeof MAX_SKIPS): Record<string, number> {
  const sums = new Map(Object.entries(to));
  for (const [reason, count] of Object.entries(add)) {
    const short = shorten(reason, most.bytes);
    const isKnown = sums.has(short) || sums.size < most.reasons - (sums.has("other") ? 0 : 1);
    const name = isKnown ? short : "other";
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

/** At most the newest five; fewer if they do not fit into 600 bytes, deflated. */
export function boundTunes(tunes: readonly TuneRecord[]): { tunes: TuneRecord[]; bytes: Uint8Array | null } {
  let kept = tunes.slice(-MAX_TUNES).map((tune) => boundTune(tune));
  let bytes = deflate(kept);
  while (bytes.byteLength > MAX_TUNES_BYTES && kept.length > 1) {
    kept = kept.slice(1);
    bytes = deflate(kept);
  }
  for (let changes = MAX_TUNE_CHANGES - 1; bytes.byteLength > MAX_TUNES_BYTES && changes >= 0; changes -= 1) {
    kept = kept.map((tune) => boundTune(tune, changes));
    bytes = deflate(kept);
  }
  return { tunes: kept, bytes: kept.length === 0 ? null : bytes };
}

/** @throws BrokenStateError if these bytes do not come from boundTunes() */
export function readTunes(bytes: Uint8Array | null): TuneRecord[] {
  if (bytes === null) return [];
  try {
    const tunes: TuneRecord[] = JSON.parse(inflateRawSync(bytes).toString());
    return tunes;
  } catch (cause) {
    throw new BrokenStateError("the record of tunes cannot be read", { cause });
  }
}

function deflate(tunes: readonly TuneRecord[]): Uint8Array {
  return deflateRawSync(JSON.stringify(tunes));
}

/** One record, with short texts and a limited number of changes. */
export function boundTune(tune: TuneRecord, maxChanges: number = MAX_TUNE_CHANGES): TuneRecord {
  const value = (it: string | number | boolean) => (typeof it === "string" ? shorten(it, MAX_TUNE_TEXT_BYTES) : it);
  const changes = Object.entries(tune.changes)
    .slice(0, maxChanges)
    .map(([name, { from, to }]) => [shorten(name, MAX_TUNE_TEXT_BYTES), { from: value(from), to: value(to) }] as const);
  const who = tune.who === undefined ? {} : { who: tune.who };
  return { atMs: tune.atMs, by: tune.by, ...who, changes: Object.fromEntries(changes) };
}
