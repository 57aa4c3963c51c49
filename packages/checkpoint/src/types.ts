/**
 * The durable state of a run, as values, and the store that keeps it. The store is implemented twice,
 * on DynamoDB (dynamo-store.ts) and in memory for simulations (memory-store.ts); one suite of tests holds for both.
 *
 * Every write says under which condition it is true. No clock comparison decides correctness: the fence does.
 */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import type {
  ProfileName,
  ScopeSettings,
  SettingSource,
  ThrottleSettings,
} from "@firehose-backfill/core/config/settings";
import type { Position } from "@firehose-backfill/core/position";
import type { RunStatus } from "@firehose-backfill/core/run-state";

/** Where a run begins. `time`: by event time; `seq`: after that sequence number; `oldest`: everything kept; `live`: now. */
export type StartPoint =
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number }
  | { readonly kind: "oldest" }
  | { readonly kind: "live" };

/** Where a run ends. `caught-up`: at the moment the run began, by event time. */
export type EndPoint =
  | { readonly kind: "caught-up" }
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number };

/** Totals that are true for all folded windows. The Snapshot adds what is registered and not folded yet. */
export interface RunTotals {
  readonly received: number;
  readonly processed: number;
  readonly stale: number;
  readonly dead: number;
  /** `dead` by reason; of those dead for a reason that nobody said, it knows nothing. */
  readonly deadReasons: Readonly<Record<string, number>>;
  /** By reason: `before-start`, `collection`, `did`, ... */
  readonly skipped: Readonly<Record<string, number>>;
}

/** The last thing the reader did. */
export interface TickReport {
  readonly atMs: number;
  readonly durationMs: number;
  /** Why its last window ended, or why it did not read. */
  readonly endedBecause: string;
}

/** One change of the throttle of a running run. */
export interface TuneRecord {
  readonly atMs: number;
  readonly by: "tune" | "resume" | "off-peak";
  readonly changes: Readonly<
    Record<string, { readonly from: string | number | boolean; readonly to: string | number | boolean }>
  >;
}

/** What BACKFILL_OFF_PEAK changes inside its window. Memory and connections are limits of the place and stay the run's own. */
export type PaceSettings = Pick<ThrottleSettings, "batchSize" | "batchDelayMs" | "maxConcurrent">;

/** Kept while an off-peak pace is in force: whose it is, and what comes back after it. */
export interface OffPeakPace {
  readonly profile: ProfileName;
  readonly own: PaceSettings & { readonly profile: ProfileName };
  /** Sources of `own`, by the same keys. */
  readonly ownSources: Run["sources"];
}

/** The run item: under 4 KB, whatever the length of the run. Lists of filters live in an item of their own (`scope`). */
export interface Run {
  readonly runId: string;
  readonly epoch: number;
  readonly status: RunStatus;
  /** Why it is in this state, for a person: `host is silent`, `waiting: database`, ... */
  readonly reason: string | null;
  /** Set while `paused` came from `pause --now`: planned messages are hidden, and resume starts a new epoch. */
  readonly pausedNow: boolean;

  /** host:port of RELAY_URL in lower case, or `sample`. */
  readonly host: string;
  readonly profile: ProfileName;
  readonly throttle: ThrottleSettings;
  readonly sources: Readonly<Partial<Record<keyof ThrottleSettings | keyof ScopeSettings | "profile", SettingSource>>>;
  /** null: `profile` and `throttle` are the run's own. */
  readonly offPeak: OffPeakPace | null;

  readonly start: StartPoint;
  readonly end: EndPoint;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** Total time spent paused, and since when it is paused now. */
  readonly pausedMs: number;
  readonly pausedSinceMs: number | null;

  /** First position seen in the run; null until a frame has come. */
  readonly startPosition: Position | null;
  /** Everything up to it is durably in the queue. null: nothing read yet (connect from the start point). */
  readonly readerCursor: Position | null;
  /** Everything up to it is applied or dead. */
  readonly appliedCursor: Position | null;
  /** Set once the run knows where it ends. */
  readonly target: Position | null;
  /** The stream has reached the start by event time; nothing is skipped as `before-start` any more. */
  readonly startReached: boolean;
  /** `time` of the last frames (at most 101): their median is the stream's event time. */
  readonly recentTimesMs: readonly number[];
  /** A frame has been seen from the host in this run. */
  readonly hostSeen: boolean;
  /** Times in a row that a broken frame ended the connection at `readerCursor`; the third time it is skipped. */
  readonly brokenFrames: number;
  /** Oldest moment the host was seen to keep, by event time; null until measured. */
  readonly oldestKeptMs: number | null;

  /** Number of the last window whose cursor move is durable. */
  readonly registered: number;
  /** Number of the last window whose results are in `totals`. */
  readonly folded: number;
  readonly totals: RunTotals;

  /** The only clock of the pace: the first moment that no place has been given away for. */
  readonly plannedDueMs: number;
  readonly paceEpoch: number;
  /** 1, 2, 4, 8 or 16. */
  readonly backOff: number;
  /** When backOff last changed; 0: never. */
  readonly backOffAtMs: number;
  /** Why the last rise happened: `memory`, `latency`, `throttle query`. */
  readonly backOffReason: string | null;
  /** What consumers wait for (`database`, `throttle query: 3 > 0`), or null; and since when. The reader plans nothing meanwhile. */
  readonly waiting: { readonly for: string; readonly sinceMs: number } | null;
  readonly memoryPauses: number;
  readonly lastMemoryPauseAtMs: number | null;

  readonly lease: { readonly owner: string; readonly expiresAtMs: number } | null;
  /** Rises with every lease. A write under an older fence is refused. */
  readonly fence: number;
  readonly lastTick: TickReport | null;
  /** Since when every look found queue and DLQ empty although batches are outstanding; null: the last look found messages, or nothing is outstanding. */
  readonly queueEmptySinceMs: number | null;
  readonly nextTickAtMs: number | null;
  /** The last few changes of the throttle, newest last; at most 5. */
  readonly tunes: readonly TuneRecord[];
}

/** What a new run is made from; the store fills in the rest. */
export interface NewRun {
  readonly runId: string;
  readonly host: string;
  readonly profile: ProfileName;
  readonly throttle: ThrottleSettings;
  readonly scope: ScopeSettings;
  readonly sources: Run["sources"];
  readonly start: StartPoint;
  readonly end: EndPoint;
  readonly createdAtMs: number;
  readonly status?: RunStatus;
}

/** Proof that this process is the one reader. Carried by every fenced write. */
export interface Lease {
  readonly runId: string;
  readonly owner: string;
  readonly fence: number;
}

/** What a window was, written by the reader before its cursor moves. */
export interface WindowItem {
  readonly runId: string;
  readonly epoch: number;
  readonly number: number;
  readonly fence: number;
  /** null: the window was the first of the run. */
  readonly from: Position | null;
  readonly to: Position;
  /** How many messages were sent for it, and how many events they hold. */
  readonly batches: number;
  readonly events: number;
  /** Encoded bytes of its messages; bounds what is outstanding when nothing paces the run. */
  readonly bytes: number;
  readonly sentAtMs: number;
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
}

export type BatchOutcome = "applied" | "dead";

/** What a consumer knows of one batch. Written by consumers (and by the reader for batches found in the DLQ). */
export interface LedgerEntry {
  readonly key: BatchKey;
  /** Times a consumer began to apply it. Receives and hidings do not count. */
  readonly attempts: number;
  /** Its own place, if it took one after it was planned; replaces the message's. */
  readonly dueMs: number | null;
  readonly paceEpoch: number | null;
  /** Times it was hidden because something was waited for; decides 30 s x 2^n. */
  readonly waits: number;
  readonly outcome: BatchOutcome | null;
  readonly counts: BatchCounts | null;
  /** When the outcome was written. */
  readonly finishedAtMs: number | null;
  /** An outcome that was dead, became applied by a redrive, and is not in `totals` yet: call `correct` before the message goes. */
  readonly correctionPending: boolean;
}

/** A registered, not yet folded window and what its batches say. */
export interface OpenWindow {
  readonly window: WindowItem;
  /**
   * Only entries of the window's own fence, each with its first outcome: one that a redrive has turned into applied
   * still reads as dead here, because a fold adds what was first said and `correct` alone adds the difference.
   */
  readonly entries: readonly LedgerEntry[];
}

export interface Gap {
  readonly from: Position;
  readonly to: Position;
  readonly host: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface RunError {
  readonly atMs: number;
  /** `reader`, `consumer`, `control`, ... */
  readonly source: string;
  readonly message: string;
}

/** What a consumer process last said of itself; on AWS the only way to see it. */
export interface ConsumerReport {
  readonly id: string;
  readonly atMs: number;
  readonly rssMb: number;
  readonly limitMb: number;
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}

/** The cursor move that registers a window. Applied only if the fence is ours, the epoch the same and `registered = window - 1`. */
export interface CursorMove {
  readonly window: number;
  readonly epoch: number;
  readonly readerCursor: Position;
  readonly startPosition: Position | null;
  readonly startReached: boolean;
  readonly recentTimesMs: readonly number[];
  readonly target: Position | null;
  readonly brokenFrames: number;
  readonly oldestKeptMs: number | null;
}

/** What folding adds. Applied only if the fence is ours, the epoch the same and `folded` is still what was read. */
export interface Fold {
  readonly epoch: number;
  readonly foldedBefore: number;
  readonly folded: number;
  readonly appliedCursor: Position;
  readonly add: RunTotals;
}

/** Fields that control may set together with a transition. */
export interface RunPatch {
  readonly reason?: string | null;
  readonly pausedNow?: boolean;
  readonly finishedAtMs?: number | null;
  readonly pausedMs?: number;
  readonly pausedSinceMs?: number | null;
  readonly target?: Position | null;
}

export interface NewEpoch {
  /** The epoch that is replaced; the write is refused if it is not the run's any more. */
  readonly epochBefore: number;
  /** From where the reader goes on: the applied cursor as it was read, or, with `start`, any place. null: the start point. */
  readonly cursor: Position | null;
  /** Given when the operator chose a place with --from: replaces the start point and what was measured of the stream. */
  readonly start?: StartPoint;
  readonly nowMs: number;
}

export interface TuneChange {
  readonly throttle: ThrottleSettings;
  readonly profile: ProfileName;
  readonly sources: Run["sources"];
  readonly record: TuneRecord;
  readonly nowMs: number;
  /** Left out: stays what it is. */
  readonly offPeak?: OffPeakPace | null;
  /** Of the run that the change was made from. Left out: whatever it is by now. */
  readonly paceEpoch?: number;
}

/** Thrown by createRun. */
export interface RunInProgress {
  readonly name: "RunInProgressError";
  readonly runId: string;
}

export interface CheckpointStore {
  /**
   * The run that `start` would be refused for, or the last one. null: no run has ever existed.
   * `openOnly`: null as well when the last one is finished, and then it costs one Get.
   */
  currentRun(options?: { readonly openOnly?: boolean }): Promise<Run | null>;
  /** One consistent read. null: no such run. */
  getRun(runId: string): Promise<Run | null>;
  /** The full filters of a run. */
  getScope(runId: string): Promise<ScopeSettings | null>;
  /** @throws RunInProgressError while a run is not finished. */
  createRun(run: NewRun): Promise<Run>;

  /**
   * Changes status if the stored one is in `from` and the table of transitions has the step (or it is the same status).
   * Returns the run after it, or null where the condition failed. `succeeded` sweeps to the end first, so that a
   * later redrive finds its batch in the ledger.
   */
  transition(runId: string, from: readonly RunStatus[], to: RunStatus, patch: RunPatch): Promise<Run | null>;
  /**
   * New throttle settings: raises paceEpoch, sets plannedDue to now, appends to `tunes`. null: the run is gone or
   * finished, or its pace is not the one of `paceEpoch` any more, where that is given.
   */
  tune(runId: string, change: TuneChange): Promise<Run | null>;
  /**
   * epoch + 1, cursors to `cursor`, unfolded windows dropped with their counts (folded = registered: numbers are never
   * used twice), paceEpoch + 1, plannedDue = now; target, recent times, broken frames, waiting and queueEmptySinceMs
   * cleared. null: the epoch is not the run's any more, the run is finished, or `cursor` is not where the applied cursor
   * stands and no `start` was given: a reader that folded in between has counted what lies between the two, and it would
   * be counted again.
   */
  newEpoch(runId: string, change: NewEpoch): Promise<Run | null>;

  /** null: somebody else holds it. Every success raises the fence. */
  acquireLease(
    runId: string,
    options: { owner: string; ttlMs: number; nowMs: number },
  ): Promise<{ lease: Lease; run: Run } | null>;
  /** false: lost. */
  renewLease(lease: Lease, options: { ttlMs: number; nowMs: number }): Promise<boolean>;
  releaseLease(
    lease: Lease,
    report: { tick: TickReport; nextTickAtMs: number | null; queueEmptySinceMs: number | null },
  ): Promise<void>;

  /** Moves plannedDue if it is still `expectedMs` and the fence and paceEpoch are ours. false: read again. */
  reservePlaces(lease: Lease, places: { expectedMs: number; nextMs: number; paceEpoch: number }): Promise<boolean>;
  /** A late batch takes a new place at the end of the line. Returns the place's due time and the paceEpoch it belongs to. */
  takePlace(
    runId: string,
    options: { intervalMs: number; nowMs: number },
  ): Promise<{ dueMs: number; paceEpoch: number }>;

  /** Refused (false) if an item of a higher fence stands there. */
  putWindow(lease: Lease, window: WindowItem): Promise<boolean>;
  /**
   * Registers the window; a window means that the host was seen. Already there: true. false: the fence, the epoch or
   * the number moved on. @throws BrokenStateError where the cursor would go back within its epoch
   */
  moveCursor(lease: Lease, move: CursorMove): Promise<boolean>;
  /**
   * What the reader learned of the stream without a window to register: where the run ends, that the host speaks, a
   * broken frame. false: lost. With `epoch` also when that is not the run's any more; always give it with a target,
   * which means nothing in another epoch.
   */
  noteStream(
    lease: Lease,
    note: {
      readonly epoch?: number;
      readonly target?: Position;
      readonly hostSeen?: true;
      readonly brokenFrames?: number;
    },
  ): Promise<boolean>;
  /** The registered, unfolded windows in order, at most `limit`. */
  openWindows(run: Run, limit: number): Promise<readonly OpenWindow[]>;
  fold(lease: Lease, fold: Fold): Promise<Run | null>;
  /**
   * Removes items of folded windows, but keeps dead entries (30 days), and corrects those that were redriven before
   * their window was folded. Safe to repeat; bounded work per call. true: nothing is left to do.
   */
  sweep(run: Run): Promise<boolean>;

  getEntry(key: BatchKey): Promise<LedgerEntry | null>;
  /** Notes the place a late batch took; also a dead one's that was redriven. An applied batch has no place any more. */
  setPlace(key: BatchKey, place: { dueMs: number; paceEpoch: number }): Promise<void>;
  /** attempts + 1; returns the entry after it. An entry with an outcome is returned unchanged. */
  beginAttempt(key: BatchKey): Promise<LedgerEntry>;
  /** attempts - 1, not below 0: what was begun came to nothing for no fault of the batch. An entry with an outcome stays. */
  cancelAttempt(key: BatchKey): Promise<void>;
  /** waits + 1, also of a dead batch that was redriven; returns how often it has waited, this time included. */
  addWait(key: BatchKey): Promise<number>;
  /**
   * Writes the outcome unless one stands there. `redriven`: a dead one becomes applied.
   * Returns the entry that stands there afterwards.
   */
  finish(
    key: BatchKey,
    outcome: BatchOutcome,
    counts: BatchCounts,
    options: { nowMs: number; redriven: boolean },
  ): Promise<LedgerEntry>;
  /**
   * Makes the entry of a batch of dead events that are tried again: dead, and counted as such by `totals` already.
   * false: something stands there.
   */
  enterDead(key: BatchKey, counts: BatchCounts, options: { nowMs: number }): Promise<boolean>;
  /**
   * Brings a redriven batch into `totals`, exactly once however often and by however many it is called:
   * dead - counts of before, processed + counts of after. Does nothing where `correctionPending` is false,
   * for a window that was never folded, and for one whose fold is not swept yet (then `sweep` does it).
   */
  correct(key: BatchKey): Promise<void>;

  /**
   * backOff x 2, up to 16, if it last changed before `notAfterMs`; raises paceEpoch, sets plannedDue to now.
   * At 16 it notes the moment and the reason alone, so that the quiet minute begins anew, and returns false.
   */
  raiseBackOff(runId: string, options: { reason: string; notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** backOff / 2 if it last changed before `notAfterMs`. Leaves paceEpoch alone. */
  halveBackOff(runId: string, options: { notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** null: nothing is waited for any more. */
  setWaiting(runId: string, waiting: Run["waiting"]): Promise<void>;
  addMemoryPause(runId: string, nowMs: number): Promise<void>;

  addGap(runId: string, gap: Gap): Promise<void>;
  listGaps(runId: string): Promise<readonly Gap[]>;
  /** Keeps the last 20. */
  addError(runId: string, error: RunError): Promise<void>;
  listErrors(runId: string): Promise<readonly RunError[]>;
  reportConsumer(runId: string, report: ConsumerReport): Promise<void>;
  listConsumers(runId: string): Promise<readonly ConsumerReport[]>;
  /** The course of the run, in the words of who draws it, who also bounds it; replaces what was there. */
  putHistory(runId: string, history: string): Promise<void>;
  /** null: none was ever put there. */
  getHistory(runId: string): Promise<string | null>;
}
