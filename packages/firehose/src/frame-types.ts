/** What a frame says, as values and offsets into its bytes. Nothing here owns memory of the frame's payload. */

export const MAX_FRAME_BYTES = 5_000_000;
export const MAX_COMMIT_BLOCKS_BYTES = 2_000_000;
export const MAX_SYNC_BLOCKS_BYTES = 10_000;
export const MAX_OPS = 200;

/** A rule that a well-formed frame breaks as a whole: a dead event, and the cursor passes. */
export interface FrameFault {
  /** Stored, counted and shown: never rename one. */
  readonly reason: "bad-field" | "bad-time" | "bad-did" | "bad-rev" | "too-many-ops" | "blocks-too-large";
  /** One sentence for the operator. */
  readonly error: string;
}

interface SequencedFrame {
  readonly seq: number;
  /** Milliseconds since the epoch; NaN where it could not be read (and `fault` says so, where it matters). */
  readonly timeMs: number;
  /** Empty where it could not be read. */
  readonly did: string;
  readonly fault: FrameFault | null;
}

/** One operation of a commit: offsets into the frame, -1 for what is missing or of another type. */
export interface OpSlice {
  readonly start: number;
  readonly end: number;
  /** null: missing or not text. */
  readonly action: string | null;
  /** UTF-8 text. */
  readonly pathStart: number;
  readonly pathEnd: number;
  /** The first slash of the path; what stands before it is the collection. */
  readonly slash: number;
  /** Where the 36 bytes of its CID start. */
  readonly cid: number;
}

export interface CommitFrame extends SequencedFrame {
  readonly kind: "commit";
  readonly rev: string;
  /** Where the 36 bytes of the commit's CID start; -1: none (and `fault` says so). */
  readonly commit: number;
  readonly blocksStart: number;
  readonly blocksEnd: number;
  /** At most 200; `fault` says if there were more. */
  readonly ops: readonly OpSlice[];
}

export interface SyncFrame extends SequencedFrame {
  readonly kind: "sync";
  readonly rev: string;
  readonly blocksStart: number;
  readonly blocksEnd: number;
}

export interface IdentityFrame extends SequencedFrame {
  readonly kind: "identity";
  readonly handle: string | null;
}

export interface AccountFrame extends SequencedFrame {
  readonly kind: "account";
  readonly active: boolean;
  readonly status: string | null;
}

/** A kind of message that we do not know. Ignored, but the cursor passes it. */
export interface UnknownFrame {
  readonly kind: "unknown";
  /** `#handle`, `op 2`, ... */
  readonly type: string;
  /** null: it carried none that can be read. */
  readonly seq: number | null;
  readonly timeMs: number;
}

/** Has no seq. */
export interface InfoFrame {
  readonly kind: "info";
  /** `OutdatedCursor`, ... */
  readonly name: string;
  readonly message: string;
}

/** The server says why it closes. */
export interface ErrorFrame {
  readonly kind: "error";
  /** `FutureCursor`, `ConsumerTooSlow`, ... */
  readonly error: string;
  readonly message: string;
}

/** Not two strict DAG-CBOR items, or a message without a usable seq: it costs the connection. */
export interface BrokenFrame {
  readonly kind: "broken";
  readonly reason: string;
}

export type MessageFrame = CommitFrame | SyncFrame | IdentityFrame | AccountFrame;
export type Frame = MessageFrame | UnknownFrame | InfoFrame | ErrorFrame | BrokenFrame;
