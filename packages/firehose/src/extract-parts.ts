/** What extracting gives and is told, and the pieces that commits and #sync markers share. */
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import type { DeadEntry, FirehoseEvent } from "@firehose-backfill/core/event";
import { type CommitBlock, unsignedBytes } from "./commit.ts";
import { copyBytes, copyHead } from "./kept-bytes.ts";
import type { FrameFault, MessageFrame } from "./frame-types.ts";
import type { Filter } from "./types.ts";

export interface ExtractRules {
  readonly filter: Filter;
  readonly verify: VerifyLevel;
  /** The later of wall clock and event time, at a frame of this time: a rev may be 5 minutes later than it, not more. */
  readonly latestMs: (timeMs: number) => number;
}

/** A commit whose signature is still to be verified. Own memory. */
export interface SignedCommit {
  readonly did: string;
  readonly unsigned: Uint8Array;
  readonly signature: Uint8Array;
}

/** What one frame comes to. `received` is the sum of skipped and events. */
export interface Extract {
  readonly received: number;
  readonly skippedDid: number;
  readonly skippedCollection: number;
  readonly events: readonly FirehoseEvent[];
  /** Set at `verify: signature`, where there are events that depend on it. */
  readonly signed: SignedCommit | null;
}

/** One dead entry for the frame as a whole. */
export function deadFrame(
  bytes: Buffer,
  frame: MessageFrame,
  timeMs: number,
  fault: FrameFault | { readonly reason: string; readonly error: string },
): DeadEntry {
  return {
    kind: "dead",
    seq: frame.seq,
    timeMs,
    did: frame.did === "" ? null : frame.did,
    path: null,
    reason: fault.reason,
    error: `#${frame.kind}: ${fault.error}`,
    payload: copyHead(bytes, 0, bytes.length),
  };
}

export function signedCommit(bytes: Buffer, start: number, end: number, commit: CommitBlock): SignedCommit {
  return {
    did: commit.did,
    unsigned: unsignedBytes(bytes, start, end, commit),
    signature: copyBytes(bytes, commit.sigStart, commit.sigEnd),
  };
}
