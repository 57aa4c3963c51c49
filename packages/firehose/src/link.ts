/** What a commit says of the one before it (BACKFILL_VERIFY=chain), read from the frame and from the signed commit. */
import { CborCursor } from "@firehose-backfill/core/cbor/cursor";
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import type { LinkEvent } from "@firehose-backfill/core/event";
import type { CommitFrame, SyncFrame } from "./frame-types.ts";

const NULL = 0xf6;

/**
 * null: `since` or `prevData` is not what it should be. Then the next commit does not connect, which is noticed.
 * @param data where the 36 bytes of the CID of the root of the tree start
 */
export function linkOf(frame: CommitFrame | SyncFrame, timeMs: number, data: number): LinkEvent | null {
  const { bytes, seq, did, rev } = frame;
  try {
    const [since, prevData] = frame.kind === "sync" ? [null, null] : [sinceOf(frame), prevDataOf(frame)];
    return {
      kind: "link",
      seq,
      timeMs,
      did,
      rev,
      since,
      prevData,
      data: cidAt(bytes, data),
      isSync: frame.kind === "sync",
    };
  } catch (error) {
    if (error instanceof CborError) return null;
    throw error;
  }
}

/** null: it is missing or null. @throws CborError */
export function sinceOf({ bytes, since }: CommitFrame): string | null {
  return since === -1 || bytes[since] === NULL ? null : new CborCursor(bytes, since, bytes.length).text();
}

/** null: it is missing or null. @throws CborError */
export function prevDataOf({ bytes, prevData }: CommitFrame): Uint8Array | null {
  if (prevData === -1 || bytes[prevData] === NULL) return null;
  return cidAt(bytes, new CborCursor(bytes, prevData, bytes.length).cid());
}

/** In its own memory. */
function cidAt(bytes: Buffer, at: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, at, at + CID_LENGTH);
}
