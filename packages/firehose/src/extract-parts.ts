/** What extracting gives and is told, and the pieces that commits and #sync markers share. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import type { DeadEntry } from "@firehose-backfill/core/event";
import { type SignaturePlace, unsignedBytes } from "@firehose-backfill/core/commit-block";
import type { Problem } from "./commit.ts";
import { copyBytes, copyHead } from "./kept-bytes.ts";
import type { CommitFrame, MessageFrame, SyncFrame } from "./frame-types.ts";
import type { Filter } from "./types.ts";

export interface ExtractRules {
  readonly filter: Filter;
  readonly verify: VerifyLevel;
  /** Whether this moment is later than both wall clock and event time, at a frame of `timeMs`. */
  readonly isAhead: (momentMs: number, timeMs: number) => boolean;
}

/** A commit whose signature is still to be verified. Own memory. */
export interface SignedCommit {
  readonly did: string;
  readonly unsigned: Uint8Array;
  readonly signature: Uint8Array;
}

/** Where a frame's events go: a window's log. */
export type EventReceiver = Pick<EventLog, "append" | "appendRecord">;

/** What one frame comes to. `received` is the sum of skipped and events. */
export interface Extract {
  readonly received: number;
  readonly skippedDid: number;
  readonly skippedCollection: number;
  /** How many were appended. */
  readonly events: number;
  /** Set at `verify: signature`, where there are events that depend on it. */
  readonly signed: SignedCommit | null;
}

/** One dead entry for the frame as a whole. */
export function deadFrame(frame: MessageFrame, timeMs: number, problem: Problem): DeadEntry {
  return {
    kind: "dead",
    seq: frame.seq,
    timeMs,
    did: frame.did === "" ? null : frame.did,
    path: null,
    reason: problem.reason,
    error: `#${frame.kind}: ${problem.error}`,
    payload: copyHead(frame.bytes, 0, frame.bytes.length),
  };
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
    signature: copyBytes(bytes, signature.start, signature.end),
  };
}
