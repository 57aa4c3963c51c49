/** What reading a firehose takes and gives. A reader lives for one tick; a window is what it reads between two checkpoints. */
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
  /** Frames came, and then none for a second: what is there is handed on. */
  | "idle"
  | "aborted"
  /** The memory guard asked the reader to stop. */
  | "memory"
  /** Event time (median of the last 101 frames) is at or past the end point. */
  | "caught-up"
  /** The host has nothing above our cursor: three connections have shown it (quiet-proof.ts). */
  | "quiet"
  /** No frame ever, for 60 s in all and half of that on one connection. The run is errored. */
  | "host-silent"
  /** Live frames come, but none on our cursor. The run is errored. */
  | "silent-on-cursor"
  /** The cursor is above the host's head. The run is paused, the cursor kept. */
  | "cursor-ahead"
  /** seq went back. The run is paused, the cursor kept. */
  | "seq-went-back"
  /** Could not connect, for as long as the window lasted; `detail` says why. Retried at the next tick. */
  | "unreachable"
  /** The host answered that it will never serve this (501, 404, ...). The run is errored. */
  | "refused"
  /** A broken frame closed the connection; the position is told in `brokenFrames`. Retried. */
  | "bad-frame";

export interface ReadPosition extends RelayState {
  /** null: begin at `start`. */
  readonly cursor: Position | null;
  /** Where to connect when cursor is null: `cursor=0`, `cursor=N`, or live. */
  readonly start: "oldest" | "live" | { readonly seq: number };
  /** Events before it are skipped as `before-start` until event time first reaches it. null: none are. */
  readonly startTimeMs: number | null;
  /** The run ends when event time gets there; or at a seq. */
  readonly endTimeMs: number;
  readonly endSeq: number | null;
  /** Since when the run has waited for a first frame, over earlier readers. Absent: since this reader first connected. */
  readonly silentSinceMs?: number;
}

export interface WindowLimits {
  /** Matched events that may be taken (before-start skips are free). The first commit of a tick's first window is always taken whole. */
  readonly maxEvents: number;
  /** Bytes kept (records and keys of matched events), and bytes read from the socket. */
  readonly maxBytes: number;
  readonly maxReadBytes: number;
  readonly maxMs: number;
  /** Take the first commit even if it alone is larger than maxEvents. */
  readonly takeFirstWhole: boolean;
}

export interface Window extends RelayState {
  /** Everything that passed the filter, in stream order, and what is dead on arrival. Spent when the next window is read. */
  readonly events: EventLog;
  /** Events seen, skipped and dead ones included. */
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Frames that hold no event, by reason: `unknown-type`, `info`, `no-operations`, `duplicate`. Not in `received`. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly bytes: number;
  /** null: no frame came, there is nothing to register. */
  readonly from: Position | null;
  readonly to: Position | null;
  /** First frame ever seen in this window. */
  readonly first: Position | null;
  readonly gaps: readonly Gap[];
  /** By event time, where an `oldest` connection or a gap probe showed it. */
  readonly oldestKeptMs: number | null;
  readonly endedBecause: WindowEnd;
  /** For a person; null where endedBecause says it all. */
  readonly detail: string | null;
}

export interface FirehoseReader {
  /** Reads on from where the last window ended. Never throws for what the network does: it is told in `endedBecause`. */
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
  /** Asked every so often; true ends the window with `memory`. */
  readonly isMemoryTight: () => boolean;
  readonly onLog?: (message: string) => void;
  /** Events between two questions to `isMemoryTight`. 100. */
  readonly memoryCheckInterval?: number;
  /** Required by `verify: signature`. */
  readonly resolveKey?: ResolveKey;
  /** What differs from DEFAULT_TIMINGS. */
  readonly timings?: Partial<FirehoseTimings>;
}

/** Compiled BACKFILL_COLLECTIONS and BACKFILL_DIDS. Two questions: the DID of a frame is asked about once, not once an operation. */
export interface Filter {
  /** False: every DID passes, and none has to be read to be asked about. */
  readonly hasDids: boolean;
  /** The same of collections. */
  readonly hasCollections: boolean;
  passesDid(did: string): boolean;
  passesCollection(collection: string): boolean;
}

export type OpenFirehoseReader = (options: FirehoseReaderOptions) => FirehoseReader;
