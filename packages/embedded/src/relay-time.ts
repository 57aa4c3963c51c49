/**
 * Moves recorded frames in time by rewriting the envelope's `time` in place. Signed and hashed bytes do not change,
 * and no length changes: the field is always `YYYY-MM-DDTHH:MM:SS.sssZ`.
 */
import { contentAt, mapFrame } from "./relay-frame.ts";

const MAJOR_TEXT = 3;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Milliseconds since the epoch; null for a frame without a time (`#info`, errors). */
export function timeMsOf(frame: Uint8Array): number | null {
  const text = timeBytesOf(frame);
  return text === null ? null : Date.parse(Buffer.from(text).toString("latin1"));
}

/** A copy of the frame, `shiftMs` later. @throws RangeError if its time does not have the form that servers write */
export function shiftFrame(frame: Uint8Array, shiftMs: number): Uint8Array {
  const copy = Buffer.from(frame);
  const text = timeBytesOf(copy);
  if (text !== null) text.set(Buffer.from(new Date(parseTime(text) + shiftMs).toISOString(), "latin1"));
  return copy;
}

/** A view into the frame. */
function timeBytesOf(frame: Uint8Array): Uint8Array | null {
  const span = mapFrame(frame).fields.get("time");
  return span === undefined ? null : contentAt(frame, span, MAJOR_TEXT);
}

function parseTime(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString("latin1");
  if (!TIME.test(text)) throw new RangeError(`time ${JSON.stringify(text)}`);
  return Date.parse(text);
}
