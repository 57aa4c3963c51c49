/** The rules and the results of extracting events, and the functions that commits and #sync markers share. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import { aboutEvent, deadEntry } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry, LiveEvent } from "@firehose-backfill/core/event";
import { type SignaturePlace, unsignedBytes } from "@firehose-backfill/core/commit-block";
import type { Problem } from "./commit.ts";
import type { CommitFrame, MessageFrame, SyncFrame } from "./frame-types.ts";
import type { Filter, InvertCommit } from "./types.ts";

export interface ExtractRules {
  readonly filter: Filter;
  readonly verify: VerifyLevel;
  /** Required by `verify: inversion`. */
  readonly invertCommit?: InvertCommit;
  /** Whether this moment is later than the wall clock and than the event time. `timeMs` is used if there is no event time yet. */
  readonly isAhead: (momentMs: number, timeMs: number) => boolean;
}

/** A commit whose signature is still to be verified. The bytes are copies. */
export interface SignedCommit {
  readonly did: string;
  readonly unsigned: Uint8Array;
  readonly signature: Uint8Array;
}

/** Takes the events of a frame: the log of a window. */
export type EventReceiver = Pick<EventLog, "append" | "appendRecord">;

/** How many events of one frame were skipped and appended. `received` is the sum. */
export interface Extract {
  readonly received: number;
  readonly skippedDid: number;
  readonly skippedCollection: number;
  /** How many events were appended. */
  readonly events: number;
  /** null: no event of the frame depends on a signature that is to be verified. */
  readonly signed: SignedCommit | null;
}

/** A dead entry for the whole frame, or for one event of it that can be tried again. */
export function deadFrame(frame: MessageFrame, timeMs: number, problem: Problem, event?: LiveEvent): DeadEntry {
  return deadEntry({
    seq: frame.seq,
    timeMs,
    did: frame.did === "" ? null : frame.did,
    path: event === undefined ? null : aboutEvent(event).path,
    reason: problem.reason,
    error: `#${frame.kind}: ${problem.error}`,
    payload: frame.bytes,
    ...(event === undefined ? {} : { event }),
  });
}

/** The commit block stands between the two offsets. */
export function signedCommit(
  event: CommitFrame | SyncFrame,
  start: number,
  end: number,
  signature: SignaturePlace,
): SignedCommit {
  const { bytes, did } = event;
  return {
    did,
    unsigned: unsignedBytes(bytes, start, end, signature),
    signature: Uint8Array.from(bytes.subarray(signature.start, signature.end)),
  };
}
