/**
 * What becomes of frames that cannot be read. Twice in a row at the same position they cost the connection, which may have
 * been the cause; the third time the frame is set aside and the stream goes on. The count outlives the reader.
 */
import { hash } from "node:crypto";
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";

/** Connections that a broken frame may cost before it is skipped. */
const PATIENCE = 2;
/** A host whose every frame is broken is not read for ever. */
const MAX_SET_ASIDE = 100;

export type BadFrameVerdict =
  /** Reconnect from the cursor. */
  | { readonly kind: "reconnect" }
  /** Recorded before; pass over it. */
  | { readonly kind: "known" }
  | { readonly kind: "dead"; readonly event: DeadEntry };

export class BadFrames {
  /** Connections lost at this position, then frames set aside at it. */
  #count: number;
  /** Met on the present connection since the last good frame. */
  #met = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  /** The next frame may be one that is too large to be received otherwise. */
  get isPatienceOver(): boolean {
    return this.#count >= PATIENCE;
  }

  /** Met on this connection since the last good frame: each of them had a sequence number that nobody could read. */
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

  /** Says what is to be done; nothing is counted until `note` is called with it. */
  judge(frame: Buffer | null, reason: string, after: Position): BadFrameVerdict {
    if (this.#count < PATIENCE || this.#count >= PATIENCE + MAX_SET_ASIDE) return { kind: "reconnect" };
    // What could not be received has no bytes to set aside: the next connection lets it in.
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

/** It has no seq that could be trusted, so it stands at the position of the frame before it. */
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
