/** What a relay's reader remembers from one tick to the next, as the text that is stored with the cursor. */
import type { SourceState } from "@firehose-backfill/source/window";
import { decodeRecentTimes, encodeRecentTimes } from "./recent-times.ts";
import { BrokenStateError } from "./state-error.ts";

export interface RelayState {
  /** The stream has reached the start by event time; nothing is skipped as `before-start` any more. */
  readonly startReached: boolean;
  /** A frame has been seen from the host in this run. */
  readonly hostSeen: boolean;
  /** Times in a row that a broken frame ended the connection at the cursor; the third time it is skipped. */
  readonly brokenFrames: number;
  /** `time` of the last frames (at most 101): their median is the stream's event time. */
  readonly recentTimesMs: readonly number[];
}

export const NO_STATE: RelayState = { startReached: false, hostSeen: false, brokenFrames: 0, recentTimesMs: [] };

/** At most 580 characters: the item that it is stored in is billed by its size, so the fields have no names. */
export function writeState({ startReached, hostSeen, brokenFrames, recentTimesMs }: RelayState): SourceState {
  const times = encodeRecentTimes(recentTimesMs);
  return JSON.stringify([
    startReached,
    hostSeen,
    brokenFrames,
    times === null ? "" : Buffer.from(times).toString("base64"),
  ]);
}

/** @throws BrokenStateError when it is not a text of writeState() */
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
 * After the cursor was set elsewhere. Times of frames further on would make the stream look further on than it is: the run
 * could end before its end. From a cursor the start stays reached: judged anew by few frames, one with a wrong time could be
 * skipped as before the start.
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
