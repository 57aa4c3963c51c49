/**
 * What a frame says, as values and offsets into its bytes. A text is made when somebody asks for it, because most frames are
 * skipped or copied without that. A message keeps the memory of its frame alive, so nobody may keep a message.
 */
import { asciiText } from "@firehose-backfill/core/cbor/text";

export const MAX_FRAME_BYTES = 5_000_000;
export const MAX_COMMIT_BLOCKS_BYTES = 2_000_000;
export const MAX_SYNC_BLOCKS_BYTES = 10_000;
export const MAX_OPS = 200;

/** A rule that a well-formed frame breaks. The frame becomes a dead event, and the cursor moves past it. */
export interface FrameFault {
  /** Never rename one, because it is stored, counted and shown. */
  readonly reason: "bad-field" | "bad-time" | "bad-did" | "bad-rev" | "too-many-ops" | "blocks-too-large";
  /** One sentence for the operator. */
  readonly error: string;
}

/** Fields are declared here and assigned in the constructor, because V8 makes objects with field initializers more slowly. */
abstract class SequencedFrame {
  declare readonly bytes: Buffer;
  /** 0: not read yet. A frame without a number is broken. */
  declare seq: number;
  /** Milliseconds since the epoch. NaN: it could not be read, and a message has a `fault`. */
  declare timeMs: number;
  /** The first rule that the frame breaks. */
  declare fault: FrameFault | null;
  /** Where the DID of the repository stands. -1: there is none. */
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

  /** Empty: it could not be read. */
  get did(): string {
    return (this.didText ??= textAt(this.bytes, this.didStart, this.didEnd));
  }

  /** Also a text that is not a DID is kept. */
  set did(text: string) {
    this.didText = text;
  }
}

/** A message about a commit. */
abstract class CommitMessage extends SequencedFrame {
  /** Where the revision stands. -1: there is no TID. */
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

  /** Empty: it could not be read. */
  get rev(): string {
    return (this.revText ??= textAt(this.bytes, this.revStart, this.revEnd));
  }

  set rev(text: string) {
    this.revText = text;
  }
}

/** One operation of a commit, as offsets into the frame. -1: the field is missing or has another type. */
export interface OpSlice {
  readonly start: number;
  readonly end: number;
  /** null: it is missing or not a text. */
  readonly action: string | null;
  /** UTF-8 text. */
  readonly pathStart: number;
  readonly pathEnd: number;
  /** The first slash of the path. The collection stands before it. */
  readonly slash: number;
  /** Where the 36 bytes of its CID start. */
  readonly cid: number;
}

const NO_OPS: readonly OpSlice[] = [];

export class CommitFrame extends CommitMessage {
  declare readonly kind: "commit";
  /** Where the 36 bytes of the commit's CID start. -1: there is none, and `fault` says so. */
  declare commit: number;
  /** Where the values of `since` and `prevData` start, as they came: not read yet. -1: the field is missing. */
  declare since: number;
  declare prevData: number;
  /** At most 200. `fault` says if there were more, or if ops are missing. */
  declare ops: readonly OpSlice[];
  /** The host left operations or blocks out of it. */
  declare isTooBig: boolean;

  constructor(bytes: Buffer) {
    super(bytes);
    this.kind = "commit";
    this.commit = -1;
    this.since = -1;
    this.prevData = -1;
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

/** A kind of message that this program does not know. It is ignored, and the cursor moves past it. */
export interface UnknownFrame {
  readonly kind: "unknown";
  /** `#handle`, `op 2`, ... */
  readonly type: string;
  /** null: it has no number that can be read. */
  readonly seq: number | null;
  readonly timeMs: number;
}

/** It has no seq. */
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

/** It is not two strict DAG-CBOR items, or it has no usable seq. bad-frames.ts decides what becomes of it. */
export interface BrokenFrame {
  readonly kind: "broken";
  readonly reason: string;
}

export type MessageFrame = CommitFrame | SyncFrame | IdentityFrame | AccountFrame;
export type Frame = MessageFrame | UnknownFrame | InfoFrame | ErrorFrame | BrokenFrame;

function textAt(bytes: Buffer, start: number, end: number): string {
  return start === -1 ? "" : asciiText(bytes, start, end);
}
