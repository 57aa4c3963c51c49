/**
 * Tries dead batches and events again after their cause is fixed: the dead-letter queue as it is, and the events of `dead_events` as
 * new batches. Both go through the queue, arrive late, and take a new slot like every late batch.
 *
 * A batch of dead events gets an entry in the ledger before it is sent: dead, and counted. When it is applied, it corrects the
 * counters like a redriven batch; the code that applies it decides how many of its events it may count. So it does no
 * harm if an event is redriven twice, or if a message comes twice or never.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { LedgerStore } from "@firehose-backfill/checkpoint/ledger-store";
import { MAX_RESYNCS, type ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { BatchKey, LoggedBatch } from "@firehose-backfill/core/batch";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { describeError, isRetryable, UsageError } from "@firehose-backfill/core/errors";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Clock } from "@firehose-backfill/core/clock";
import { LEAST_MESSAGE_BYTES, packBatches } from "@firehose-backfill/queue/pack";
import type { BatchQueue, IncomingMessage, QueueLimits } from "@firehose-backfill/queue/types";
import {
  type ClaimedEvent,
  type DeadEvents,
  type DeadOf,
  isFailedRepository,
} from "@firehose-backfill/sink/dead-events";
import { isCancelled, type RedrivenRepositories, redriveRepositories } from "./redrive-repositories.ts";

export interface RedriveDeps {
  readonly store: RunStore & LedgerStore & ResyncStore;
  readonly queue: BatchQueue;
  readonly clock: Pick<Clock, "now">;
  /** Absent: there is no database to read from. */
  readonly openDeadEvents?: () => DeadEvents;
}

export interface RedriveOptions {
  /** Only this run's dead letters and dead events. Left out: everything that is dead. */
  readonly runId?: string;
  /** Only dead events with this reason; a dead letter has none. */
  readonly reason?: string;
}

export interface Redriven {
  readonly deadLetters: number;
  /** About how many dead letters remain for another redrive. */
  readonly lettersLeft: number;
  readonly deadEvents: number;
  /** Dead events that stay, because no complete event was stored. */
  readonly untriable: number;
  /** Those that are repositories that could not be read. */
  readonly repositories: Omit<RedrivenRepositories, "abandoned">;
  /** Dead events of runs that are cancelled or unknown. */
  readonly abandoned: number;
}

/** The most of each kind; the rest is for another redrive. */
const AT_ONCE = 10_000;
/** The control function has a minute in total: thousands of letters must leave time for the dead events. */
const LETTERS_WITHIN_MS = 25_000;
const CLAIMED_AT_ONCE = 500;
const ENTRIES_IN_FLIGHT = 8;
/** Bytes of a dead event's id in a message. */
const ID_BYTES = 40;
/** The largest share of a message for ids. */
const IDS_SHARE = 8;
const LEAST_REDRIVE_BYTES = Math.ceil((LEAST_MESSAGE_BYTES * IDS_SHARE) / (IDS_SHARE - 1));
/** No reader uses it: windows are numbered from 1. */
const REDRIVE_WINDOW = 0;

/** Not all dead letters could be moved; the dead events were tried in any case. */
export class LettersStayError extends Error {
  override readonly name = "LettersStayError";

  constructor(cause: unknown, { deadEvents }: { readonly deadEvents: number }) {
    super(
      `not all dead letters could be moved back: ${describeError(cause)}; ${deadEvents} dead events are back in the queue; redrive again for the rest`,
      { cause },
    );
  }

  isRetryable(): boolean {
    return isRetryable(this.cause);
  }
}

/**
 * @throws UsageError, if nothing has changed; LettersStayError; QueueError, TableError, SinkError: a part may be done, and the
 * call may be repeated.
 */
export async function redriveDead(deps: RedriveDeps, which: RedriveOptions = {}): Promise<Redriven> {
  const { runId, reason } = which;
  const limits = await deps.queue.readLimits();
  refuseSmallQueue(limits);
  if (reason !== undefined) return { deadLetters: 0, lettersLeft: 0, ...(await redriveEvents(deps, limits, which)) };
  // The dead events do not wait for the letters' result, so neither blocks the other.
  const [letters] = await Promise.allSettled([
    deps.queue.redrive({
      max: AT_ONCE,
      withinMs: LETTERS_WITHIN_MS,
      ...(runId === undefined ? {} : { isWanted: isOf(runId) }),
    }),
  ]);
  const events = await redriveEvents(deps, limits, which);
  if (letters.status === "rejected") throw new LettersStayError(letters.reason, events);
  return { deadLetters: letters.value.moved, lettersLeft: letters.value.left, ...events };
}

/**
 * One dead event. `repository`: it was one that could not be read, which is read anew.
 * @throws UsageError: it cannot be tried again, and why; SinkError, QueueError, TableError
 */
export async function redriveOne(
  deps: RedriveDeps,
  id: string,
): Promise<{ readonly run: Run; readonly repository: string | null }> {
  const limits = await deps.queue.readLimits();
  refuseSmallQueue(limits);
  if (deps.openDeadEvents === undefined) throw new UsageError(NO_DATABASE);
  await using dead = deps.openDeadEvents();
  const [kept] = await dead.list({ id, limit: 1, withApplied: true, maxEventBytes: 0 });
  if (kept === undefined) throw new UsageError(`no dead event has the id ${id}`);
  if (kept.appliedAt !== null) throw new UsageError(`dead event ${id} was applied at ${kept.appliedAt}`);
  const failed = isFailedRepository(kept) ? { id, runId: kept.runId, did: kept.did } : null;
  if (kept.eventBytes === null && failed === null)
    throw new UsageError(`dead event ${id} cannot be tried again, because no complete event was received`);
  const run = await deps.store.getRun(kept.runId);
  if (run === null || isCancelled(run))
    throw new UsageError(
      `dead event ${id} is not tried again, because its run ${kept.runId} is ${run === null ? "not known" : run.status}`,
    );
  if (failed !== null) {
    const { requested, tooLong } = await redriveRepositories(deps, dead, [failed]);
    if (tooLong > 0)
      throw new UsageError(`dead event ${id} cannot be tried again, because its DID is too long to be requested`);
    if (requested === 0)
      throw new UsageError(
        `dead event ${id} is not tried again now, because as many repositories as possible (${MAX_RESYNCS}) wait to be read anew: redrive it when firehose-backfill resyncs lists fewer`,
      );
    return { run, repository: failed.did };
  }
  const nowMs = deps.clock.now();
  const claimed = await dead.claim({ sinceMs: nowMs, nowMs, limit: 1, id });
  if (claimed.length === 0)
    throw new UsageError(`dead event ${id} is being tried at this moment, or a newer version of this program wrote it`);
  await sendAgain(deps, limits, run, claimed);
  return { run, repository: null };
}

/** For what needs `dead_events`. */
export const NO_DATABASE = "this program has no database to read dead events from";

/** @throws UsageError */
function refuseSmallQueue(limits: QueueLimits): void {
  if (limits.maxMessageBytes < LEAST_REDRIVE_BYTES)
    throw new UsageError(
      `the queue takes only ${limits.declaredBytes} bytes a message: set MaximumMessageSize=${NEEDED_MESSAGE_BYTES} on the queue and on its dead-letter queue, then redrive`,
    );
}

/** What is not readable belongs to no run. */
function isOf(runId: string): (message: IncomingMessage) => boolean {
  return ({ content }) => content.kind === "batch" && content.batch.key.runId === runId;
}

async function redriveEvents(
  deps: RedriveDeps,
  limits: QueueLimits,
  which: DeadOf,
): Promise<Omit<Redriven, "deadLetters" | "lettersLeft">> {
  if (deps.openDeadEvents === undefined)
    return { deadEvents: 0, untriable: 0, repositories: { requested: 0, left: 0, tooLong: 0 }, abandoned: 0 };
  await using dead = deps.openDeadEvents();
  const sinceMs = deps.clock.now();
  let deadEvents = 0;
  let abandoned = 0;
  for (let claimed = 0; claimed < AT_ONCE;) {
    const limit = Math.min(CLAIMED_AT_ONCE, AT_ONCE - claimed);
    const events = await dead.claim({ ...which, sinceMs, nowMs: sinceMs, limit });
    if (events.length === 0) break;
    claimed += events.length;
    for (const [runId, its] of Map.groupBy(events, (each) => each.runId)) {
      const run = await deps.store.getRun(runId);
      if (run === null || isCancelled(run)) abandoned += its.length;
      else deadEvents += await sendAgain(deps, limits, run, its);
    }
  }
  const failed = await dead.failedRepositories({ ...which, limit: AT_ONCE });
  const { requested, left, tooLong, abandoned: ofOthers } = await redriveRepositories(deps, dead, failed);
  const untriable = Math.max(0, (await dead.countUntriable(which)) - left - ofOthers);
  return { deadEvents, untriable, repositories: { requested, left, tooLong }, abandoned: abandoned + ofOthers };
}

/** Ledger first, then the queue: an entry without a message has no effect, a message without an entry would be dropped. */
async function sendAgain(
  deps: RedriveDeps,
  limits: QueueLimits,
  run: Run,
  claimed: readonly ClaimedEvent[],
): Promise<number> {
  const batches = await enterAll(deps, run, inBatches(limits, run, claimed));
  await deps.queue.send(batches.map((batch) => ({ batch, delaySeconds: 0 })));
  return claimed.length;
}

type DeadBatch = Pick<LoggedBatch, "events"> & { readonly claimed: readonly ClaimedEvent[] };

function inBatches(limits: QueueLimits, run: Run, claimed: readonly ClaimedEvent[]): readonly DeadBatch[] {
  const { maxMessageBytes } = limits;
  // If the queue accepts only small messages, the ids of a large batch would leave no space for its events.
  const batchSize = Math.max(1, Math.min(run.throttle.batchSize, Math.floor(maxMessageBytes / IDS_SHARE / ID_BYTES)));
  let next = 0;
  // Packing keeps the order and the number of events.
  const log = EventLog.of(claimed.map(({ event }) => event));
  const smaller = { maxMessageBytes: maxMessageBytes - batchSize * ID_BYTES };
  return packBatches(log, { batchSize, limits: smaller }).map((events) => {
    const its = claimed.slice(next, next + events.length);
    next += events.length;
    return { events, claimed: its };
  });
}

/** The first entry decides the moment that names all of them, unless another redrive of the same second has used it. */
async function enterAll(deps: RedriveDeps, run: Run, batches: readonly DeadBatch[]): Promise<readonly LoggedBatch[]> {
  const nowMs = deps.clock.now();
  const keyOf = (moment: number, number: number): BatchKey => ({
    runId: run.runId,
    generation: run.generation,
    window: REDRIVE_WINDOW,
    fence: moment,
    number,
  });
  const enter = (moment: number, number: number) => {
    const counts = countsOf(batches[number]?.claimed ?? []);
    return deps.store.enterDead(keyOf(moment, number), counts, { nowMs });
  };
  let moment = Math.floor(nowMs / 1000);
  while (!(await enter(moment, 0))) moment += 1;
  for (let start = 1; start < batches.length; start += ENTRIES_IN_FLIGHT) {
    const some = batches.slice(start, start + ENTRIES_IN_FLIGHT);
    await Promise.all(some.map((_, index) => enter(moment, start + index)));
  }
  return batches.map(({ events, claimed }, number) => ({
    key: keyOf(moment, number),
    // A time long past, so that the consumer that receives it finds it late and takes a new slot for it.
    dueMs: 0,
    paceVersion: 0,
    events,
    deadEventIds: claimed.map(({ id }) => id),
  }));
}

function countsOf(claimed: readonly ClaimedEvent[]) {
  const deadReasons: Record<string, number> = {};
  for (const { reason } of claimed) deadReasons[reason] = (deadReasons[reason] ?? 0) + 1;
  return { applied: 0, stale: 0, dead: claimed.length, deadReasons };
}
