/**
 * Decides what becomes of a frame that cannot be read. The first two times at one position the reader connects again, because
 * the connection may have been the cause. The third time the frame becomes a dead entry, and the stream goes on. The run
 * stores the count from one reader to the next.
 */
import { hash } from "node:crypto";
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";

/** So many times the reader connects again because of a broken frame. Then the frame is skipped. */
const PATIENCE = 2;
/** After so many dead entries at one position the reader skips no more, because every frame of the host may be broken. */
const MAX_SET_ASIDE = 100;

export type BadFrameVerdict =
  /** Connect again, from the cursor. */
  | { readonly kind: "reconnect" }
  /** It was recorded on an earlier connection. Skip it. */
  | { readonly kind: "known" }
  | { readonly kind: "dead"; readonly event: DeadEntry };

export class BadFrames {
  /** Reconnects at this position, and after them the dead entries at it. */
  #count: number;
  /** Broken frames on the present connection since the last good frame. */
  #met = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  /** The next connection has to accept a larger frame than usual, so that the frame can be recorded. */
  get isPatienceOver(): boolean {
    return this.#count >= PATIENCE;
  }

  /** Broken frames on this connection since the last good frame. Each of them had a sequence number that could not be read. */
  get met(): number {
    return this.#met;
  }

  newConnection(): void {
    this.#met = 0;
  }

  goodFrame(): void {
    this.#count = 0;
    this.#met = 0;
  }

  /** Says what to do with the frame. Only `note` counts it. */
  judge(frame: Buffer | null, reason: string, after: Position): BadFrameVerdict {
    if (this.#count < PATIENCE || this.#count >= PATIENCE + MAX_SET_ASIDE) return { kind: "reconnect" };
    // The frame was too large to be received, so there are no bytes to record. The next connection accepts it.
    if (frame === null) return { kind: "reconnect" };
    if (this.#met < this.#count - PATIENCE) return { kind: "known" };
    return { kind: "dead", event: badFrameEntry(frame, reason, after) };
  }

  note(verdict: BadFrameVerdict): void {
    this.#met++;
    const isOneMore = verdict.kind === "dead" || (verdict.kind === "reconnect" && this.#count < PATIENCE);
    if (isOneMore) this.#count++;
  }
}

/** Its own seq cannot be trusted, so the entry has the position of the frame before it. */
function badFrameEntry(frame: Buffer, reason: string, after: Position): DeadEntry {
  const digest = hash("sha256", frame, "hex");
  return deadEntry({
    seq: after.seq,
    timeMs: after.timeMs,
    did: null,
    path: null,
    reason: "bad-frame",
    error: `after seq ${after.seq}: ${reason}; ${frame.length} bytes, sha-256 ${digest}`,
    payload: frame,
  });
}
