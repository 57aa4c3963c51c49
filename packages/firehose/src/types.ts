/** The types of the reader. A reader lives for one tick, and a window is what it reads between two checkpoints. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Clock } from "@firehose-backfill/core/clock";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import type { Position } from "@firehose-backfill/core/position";
import type { ResolveKey } from "@firehose-backfill/core/did-resolver";
import type { Gap } from "./gap-proof.ts";
import type { RelayState } from "./relay-state.ts";
import type { FirehoseTimings } from "./timings.ts";

/** Why a window ended. */
export type WindowEnd =
  /** The next commit would not fit into maxEvents. */
  | "events"
  | "bytes"
  | "time"
  /** Frames came, and then none for a second. What is there is handed on. */
  | "idle"
  | "aborted"
  /** The memory guard asked the reader to stop. */
  | "memory"
  /** Event time (median of the last 101 frames) is at or past the end point. */
  | "caught-up"
  /** The host has nothing above our cursor. Three connections have proved it (quiet-proof.ts). */
  | "quiet"
  /** No frame came in the whole run, for 60 s, and for half of that on one connection. The run is errored. */
  | "host-silent"
  /** Live frames come, but none on our cursor. The run is errored. */
  | "silent-on-cursor"
  /** The cursor is above the host's head. The run is paused, the cursor kept. */
  | "cursor-ahead"
  /** seq went back. The run is paused, the cursor kept. */
  | "seq-went-back"
  /** The reader could not connect while the window lasted. `detail` says why. The next tick tries again. */
  | "unreachable"
  /** The host answered that it will never serve this (501, 404, ...). The run is errored. */
  | "refused"
  /** A broken frame ended the connection, and `brokenFrames` counts it. The next window tries again. */
  | "bad-frame";

export interface ReadPosition extends RelayState {
  /** null: begin at `start`. */
  readonly cursor: Position | null;
  /** Where to connect when cursor is null: `cursor=0`, `cursor=N`, or live. */
  readonly start: "oldest" | "live" | { readonly seq: number };
  /** Events before it are skipped as `before-start`, until the event time reaches it for the first time. null: none are skipped. */
  readonly startTimeMs: number | null;
  /** The run ends when the event time reaches it, or at a seq. */
  readonly endTimeMs: number;
  readonly endSeq: number | null;
  /** Since when the run has waited for its first frame, over all its readers. Left out: since this reader first connected. */
  readonly silentSinceMs?: number;
}

export interface WindowLimits {
  /** How many matching events may be taken. Events that are skipped as before the start do not count. */
  readonly maxEvents: number;
  /** Bytes that are kept (records and keys of matching events), and bytes that are read from the socket. */
  readonly maxBytes: number;
  readonly maxReadBytes: number;
  readonly maxMs: number;
  /** Take the first commit also if it alone is larger than maxEvents. */
  readonly takeFirstWhole: boolean;
}

export interface Window extends RelayState {
  /** Everything that passed the filter, and the dead entries, in the order of the stream. Its memory is used again for the next window. */
  readonly events: EventLog;
  /** All events that came, with skipped and dead ones. */
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Frames that hold no event, by reason: `unknown-type`, `info`, `no-operations`, `duplicate`. `received` does not count them. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly bytes: number;
  /** null: no frame came, so there is nothing to store. */
  readonly from: Position | null;
  readonly to: Position | null;
  /** The first frame of this window. */
  readonly first: Position | null;
  readonly gaps: readonly Gap[];
  /** The time of the oldest frame that the host keeps, if a connection or a probe has shown it. */
  readonly oldestKeptMs: number | null;
  readonly endedBecause: WindowEnd;
  /** A sentence for a person. null: `endedBecause` says everything. */
  readonly detail: string | null;
}

export interface FirehoseReader {
  /** Reads on from where the last window ended. It never throws because of the network; `endedBecause` tells what happened. */
  readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FirehoseReaderOptions {
  /** `wss://host[:port]` or, on loopback, `ws://host:port`. */
  readonly url: string;
  readonly position: ReadPosition;
  readonly filter: Filter;
  readonly verify: VerifyLevel;
  readonly clock: Clock;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  readonly userAgent: string;
  /** Called every `memoryCheckInterval` events. True ends the window with `memory`. */
  readonly isMemoryTight: () => boolean;
  readonly onLog?: (message: string) => void;
  /** 100 if it is left out. */
  readonly memoryCheckInterval?: number;
  /** Required by `verify: signature` and above. */
  readonly resolveKey?: ResolveKey;
  /** Required by `verify: inversion`. */
  readonly invertCommit?: InvertCommit;
  /** What differs from DEFAULT_TIMINGS. */
  readonly timings?: Partial<FirehoseTimings>;
}

/** One operation of a commit; `prev` is what was there before. */
export interface InvertedOperation {
  readonly action: "create" | "update" | "delete";
  readonly key: string;
  readonly cid: Uint8Array | null;
  readonly prev: Uint8Array | null;
}

/** Undoes operations on the part of a tree that came with the commit. Never throws for what the network has sent. */
export type InvertCommit = (
  tree: { readonly data: Uint8Array; readonly blockOf: (cid: Uint8Array) => Buffer | null },
  operations: readonly InvertedOperation[],
) =>
  | { readonly kind: "inverted"; readonly prevData: Uint8Array }
  | { readonly kind: "refused"; readonly problem: string; readonly detail: string };

/** Compiled BACKFILL_COLLECTIONS and BACKFILL_DIDS. The DID is asked about once for a frame, and the collection once for an operation. */
export interface Filter {
  /** False: every DID passes, so none has to be read. */
  readonly hasDids: boolean;
  /** False: every collection passes, so none has to be read. */
  readonly hasCollections: boolean;
  passesDid(did: string): boolean;
  passesCollection(collection: string): boolean;
}

export type OpenFirehoseReader = (options: FirehoseReaderOptions) => FirehoseReader;
