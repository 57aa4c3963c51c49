/**
 * What a frame says, as values and offsets into its bytes. Texts are made when they are asked for: most frames are filtered
 * or copied before anybody asks. A message pins the frame's memory, so it is not to be kept.
 */
import { asciiText } from "@firehose-backfill/core/cbor/text";

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

/** Fields are assigned in constructors and only declared here: V8 makes an object out of field initializers more slowly. */
abstract class SequencedFrame {
  declare readonly bytes: Buffer;
  /** 0 while it has not been read; a frame without one is broken. */
  declare seq: number;
  /** Milliseconds since the epoch; NaN where it could not be read (and `fault` says so, where it matters). */
  declare timeMs: number;
  /** The first thing that was wrong. */
  declare fault: FrameFault | null;
  /** The repository's DID; -1: what stands there is none. */
  declare didStart: number;
  declare didEnd: number;
  declare private didText: string | null;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.seq = 0;
    this.timeMs = Number.NaN;
    this.fault = null;
    this.didStart = -1;
    this.didEnd = -1;
    this.didText = null;
  }

  /** Empty where it could not be read. */
  get did(): string {
    return (this.didText ??= textAt(this.bytes, this.didStart, this.didEnd));
  }

  /** What is no DID is kept, and a fault. */
  set did(text: string) {
    this.didText = text;
  }
}

/** A message about a commit. */
abstract class CommitMessage extends SequencedFrame {
  /** The revision; -1: what stands there is no TID. */
  declare revStart: number;
  declare revEnd: number;
  declare private revText: string | null;
  declare blocksStart: number;
  declare blocksEnd: number;

  constructor(bytes: Buffer) {
    super(bytes);
    this.revStart = -1;
    this.revEnd = -1;
    this.revText = null;
    this.blocksStart = -1;
    this.blocksEnd = -1;
  }

  /** Empty where it could not be read. */
  get rev(): string {
    return (this.revText ??= textAt(this.bytes, this.revStart, this.revEnd));
  }

  set rev(text: string) {
    this.revText = text;
  }
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

const NO_OPS: readonly OpSlice[] = [];

export class CommitFrame extends CommitMessage {
  declare readonly kind: "commit";
  /** Where the 36 bytes of the commit's CID start; -1: none (and `fault` says so). */
  declare commit: number;
  /** At most 200; `fault` says if there were more, or none at all. */
  declare ops: readonly OpSlice[];
  /** The host left data out of it: operations or blocks that nobody can read here. */
  declare isTooBig: boolean;

  constructor(bytes: Buffer) {
    super(bytes);
    this.kind = "commit";
    this.commit = -1;
    this.ops = NO_OPS;
    this.isTooBig = false;
  }
}

export class SyncFrame extends CommitMessage {
  readonly kind = "sync";
}

export class IdentityFrame extends SequencedFrame {
  readonly kind = "identity";
  handle: string | null = null;
}

export class AccountFrame extends SequencedFrame {
  readonly kind = "account";
  active = false;
  status: string | null = null;
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

function textAt(bytes: Buffer, start: number, end: number): string {
  return start === -1 ? "" : asciiText(bytes, start, end);
}
