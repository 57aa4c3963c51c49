/** What the reader of a relay remembers from one tick to the next. The run stores it as a text, with the cursor. */
import type { SourceState } from "@firehose-backfill/source/window";
import { decodeRecentTimes, encodeRecentTimes } from "./recent-times.ts";
import { BrokenStateError } from "./state-error.ts";

export interface RelayState {
  /** The stream has reached the start by event time, so nothing is skipped as `before-start` any more. */
  readonly startReached: boolean;
  /** A frame has come from the host in this run. */
  readonly hostSeen: boolean;
  /** How many times in a row a broken frame ended the connection at the cursor. The third time it is skipped. */
  readonly brokenFrames: number;
  /** `time` of the last frames, at most 101. Their median is the event time of the stream. */
  readonly recentTimesMs: readonly number[];
}

export const NO_STATE: RelayState = { startReached: false, hostSeen: false, brokenFrames: 0, recentTimesMs: [] };

/** At most 580 characters. The fields have no names, because the item that holds the text is billed by its size. */
export function writeState({ startReached, hostSeen, brokenFrames, recentTimesMs }: RelayState): SourceState {
  const times = encodeRecentTimes(recentTimesMs);
  return JSON.stringify([
    startReached,
    hostSeen,
    brokenFrames,
    times === null ? "" : Buffer.from(times).toString("base64"),
  ]);
}

/** @throws BrokenStateError if writeState() did not make this text */
export function readState(state: SourceState | null): RelayState {
  if (state === null) return NO_STATE;
  const [startReached, hostSeen, brokenFrames, times] = parse(state);
  const isKnown =
    typeof startReached === "boolean" && typeof hostSeen === "boolean" && typeof brokenFrames === "number";
  if (!isKnown || typeof times !== "string")
    throw new BrokenStateError("the state of the relay's reader lacks a field");
  const recentTimesMs = decodeRecentTimes(times === "" ? null : Buffer.from(times, "base64"));
  return { startReached, hostSeen, brokenFrames, recentTimesMs };
}

/**
 * The state after the cursor was set elsewhere. The times are dropped: if they are later than the new cursor, the run could end
 * before its end. If there is a cursor, the start stays reached: few frames would decide it again, and a frame with a wrong time
 * could be skipped as before the start.
 */
export function movedState(state: RelayState, hasCursor: boolean): RelayState {
  return { ...NO_STATE, hostSeen: state.hostSeen, startReached: state.startReached && hasCursor };
}

function parse(state: SourceState): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(state);
    if (Array.isArray(fields)) return fields;
  } catch (cause) {
    throw new BrokenStateError("the state of the relay's reader cannot be read", { cause });
  }
  throw new BrokenStateError("the state of the relay's reader is no list");
}
