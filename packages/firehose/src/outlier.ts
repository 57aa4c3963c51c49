/** A frame whose sequence number no other frame vouches for, as a dead entry. */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry } from "@firehose-backfill/core/event";
import type { MessageFrame, UnknownFrame } from "./frame-types.ts";

/** `last`: the number before it that was believed. */
export function outlierEntry(
  frame: MessageFrame | (UnknownFrame & { readonly seq: number }),
  bytes: Buffer,
  at: { readonly timeMs: number; readonly last: number },
): DeadEntry {
  const { seq } = frame;
  const type = frame.kind === "unknown" ? frame.type : `#${frame.kind}`;
  const did = frame.kind === "unknown" || frame.did === "" ? null : frame.did;
  return deadEntry({
    // Its own number, so that it is the same row wherever it is met again.
    seq,
    timeMs: at.timeMs,
    did,
    path: null,
    reason: "seq-outlier",
    error: `${type}: seq ${seq} came after ${at.last}, and the frames behind it do not go on from there`,
    payload: bytes,
  });
}
