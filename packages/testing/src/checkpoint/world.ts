/**
 * A simulated environment of a store: a stream of events, a queue that delivers twice and loses messages, a database, and
 * readers and consumers that may crash at any step. They do their steps in the order that the architecture prescribes.
 */
import type { BatchKey } from "@firehose-backfill/core/batch";
import { cursorAt } from "@firehose-backfill/source/cursor";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import { aMove, aRun, aWindow, type Connect, advanceAll, NOW, RUN, theRun } from "./harness.ts";
import { createTurns, type Turns } from "./turns.ts";
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";

/** Events are numbered from 1; every fifth does not pass the filter. */
export const STREAM_END = 24;
const BATCH_SIZE = 2;
const LEASE_MS = 25;

export interface WorldOptions {
  readonly random: () => number;
  /** The probability that a process crashes at a step: before the step, or after it but before it gets the answer. */
  readonly crashRate: number;
}

interface Message {
  readonly key: BatchKey;
  readonly events: readonly number[];
  /** The message comes from the dead-letter queue. The ledger says that the batch is dead, and only a redrive tries it again. */
  readonly isRedriven?: boolean;
}

class Crash extends Error {
  override readonly name = "Crash";
}

export function passesFilter(event: number): boolean {
  return event % 5 !== 0;
}

export class World {
  readonly turns: Turns;
  readonly #options: WorldOptions;
  readonly #connect: Connect;
  readonly store: CheckpointStore;
  nowMs = NOW;
  readonly queue: Message[] = [];
  readonly deadLetters: Message[] = [];
  readonly applied = new Set<number>();
  readonly dead = new Set<number>();
  /** The run at the last check. */
  seen: Run | null = null;
  #names = 0;
  #isCalm = false;

  constructor(connect: Connect, options: WorldOptions) {
    this.#connect = connect;
    this.#options = options;
    this.turns = createTurns(options.random);
    this.store = connect();
  }

  async begin(): Promise<void> {
    await this.store.createRun(aRun());
  }

  /** From now on there are no crashes, refusals or losses, so that the rest can be completed. */
  calm(): void {
    this.#isCalm = true;
  }

  chance(probability: number): boolean {
    return !this.#isCalm && this.#options.random() < probability;
  }

  pick(count: number): number {
    return Math.floor(this.#options.random() * count);
  }

  newName(kind: string): string {
    this.#names += 1;
    return `${kind}-${this.#names}`;
  }

  /** A process repeats its work. After a crash it begins again with a new connection. */
  process(rounds: number, work: (store: CheckpointStore, name: string) => Promise<void>): void {
    this.turns.start(async () => {
      for (let round = 0; round < rounds; round += 1) {
        const name = this.newName("process");
        try {
          await work(
            this.#connect((step) => this.#step(step)),
            name,
          );
        } catch (error) {
          if (!isCrash(error)) throw error;
        }
      }
    });
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    const crash = (): void => {
      if (this.chance(this.#options.crashRate)) throw new Crash();
    };
    return this.turns.step(async () => {
      this.nowMs += this.pick(4);
      crash();
      const answer = await work();
      crash();
      return answer;
    });
  }

  /** Checks the invariants that must hold at every moment. @throws if one does not */
  async observe(): Promise<void> {
    const run = await theRun(this.store);
    const before = this.seen;
    this.seen = run;
    for (let event = 1; event <= (run.appliedCursor?.ordinal ?? 0); event += 1)
      if (passesFilter(event) && !this.applied.has(event) && !this.dead.has(event))
        throw new Error(
          `the applied cursor is at ${run.appliedCursor?.ordinal}, and ${event} is neither applied nor dead`,
        );
    if ((run.appliedCursor?.ordinal ?? 0) > (run.readerCursor?.ordinal ?? 0) || run.appliedWindow > run.registered)
      throw new Error("what is applied is beyond what is read");
    if (before === null) return;
    for (const field of ["generation", "fence", "registered", "appliedWindow", "paceVersion"] as const)
      if (run[field] < before[field]) throw new Error(`${field} went back from ${before[field]} to ${run[field]}`);
    if (run.generation === before.generation && (run.readerCursor?.ordinal ?? 0) < (before.readerCursor?.ordinal ?? 0))
      throw new Error("the reader cursor went back within a generation");
    if (run.paceVersion === before.paceVersion && run.plannedDueMs < before.plannedDueMs)
      throw new Error("the pace went back within a pace version");
  }
}

/** One tick: take the lease, move the applied cursor, sweep, read a window, release the lease. */
export async function tick(world: World, store: CheckpointStore, owner: string): Promise<void> {
  const got = await store.acquireLease(RUN, { owner, ttlMs: LEASE_MS, nowMs: world.nowMs });
  if (got === null) return;
  const { lease } = got;
  const appliedWindow = await advanceAll(store, lease);
  if (appliedWindow === null) return;
  await store.sweep(appliedWindow);
  const run = world.chance(0.15) ? await loseMessages(world, store, appliedWindow) : appliedWindow;
  if (run !== null) await readWindow(world, store, lease, run);
  const endedBecause = "tick";
  await store.releaseLease(lease, {
    tick: { atMs: world.nowMs, durationMs: 1, endedBecause },
    nextTickAtMs: null,
    queueEmptySinceMs: null,
    quiet: null,
  });
}

/**
 * Loses all messages, so that everything that is not applied is read again. Consumers may still hold some messages. Messages of
 * a redrive are not lost, because nobody would read those events again and they would stay dead.
 */
export async function loseMessages(world: World, store: CheckpointStore, run: Run): Promise<Run | null> {
  world.deadLetters.push(...world.queue.filter(({ isRedriven }) => isRedriven === true));
  world.queue.length = 0;
  return store.newGeneration(RUN, { generationBefore: run.generation, cursor: run.appliedCursor, nowMs: world.nowMs });
}

async function readWindow(world: World, store: CheckpointStore, lease: Lease, run: Run): Promise<void> {
  const from = run.readerCursor?.ordinal ?? 0;
  const to = Math.min(STREAM_END, from + 1 + world.pick(6));
  if (to === from) return;
  const events = Array.from({ length: to - from }, (_, index) => from + 1 + index);
  const kept = events.filter(passesFilter);
  const batches = Array.from({ length: Math.ceil(kept.length / BATCH_SIZE) }, (_, index) =>
    kept.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
  );
  const nextMs = Math.max(run.plannedDueMs, world.nowMs) + batches.length * 10;
  if (
    !(await store.reserveSlots(DEFAULT_PACE_ID, { expectedMs: run.plannedDueMs, nextMs, paceVersion: run.paceVersion }))
  )
    return;
  const number = run.registered + 1;
  for (const [index, batch] of batches.entries())
    world.queue.push({
      key: { runId: RUN, generation: run.generation, window: number, fence: lease.fence, number: index },
      events: batch,
    });
  const position = cursorAt(to, NOW + to);
  const skipped = { collection: events.length - kept.length };
  const window = {
    generation: run.generation,
    number,
    from: run.readerCursor,
    to: position,
    batches: batches.length,
    events: kept.length,
    received: events.length,
    skipped,
  };
  if (!(await store.putWindow(lease, aWindow(lease, window)))) return;
  await store.moveCursor(lease, aMove(number, { generation: run.generation, readerCursor: position }));
}

/**
 * Handles one message: skip it if it is outdated or already counted (but not if it was dead); begin an attempt; apply the batch
 * or give up; write the ledger; correct the totals; remove the message.
 */
export async function consume(world: World, store: CheckpointStore): Promise<void> {
  const message = world.queue[world.pick(world.queue.length)];
  if (message === undefined) {
    await store.getRun(RUN);
    return;
  }
  const { key, events } = message;
  const run = await theRun(store);
  const found = await store.getEntry(key);
  const isRedriven = found?.outcome === "dead";
  const isOver = key.generation !== run.generation || key.window <= run.appliedWindow || found?.outcome === "applied";
  if (!isOver || isRedriven) {
    await store.beginAttempt(key);
    const size = events.length;
    if (world.chance(0.25)) {
      // The message goes to the dead-letter queue before the ledger says that it is dead. Otherwise a crash in between would
      // leave nothing to redrive.
      world.deadLetters.push({ ...message });
      for (const event of events) world.dead.add(event);
      await store.finish(
        key,
        "dead",
        { applied: 0, stale: 0, dead: size },
        { nowMs: world.nowMs, redriven: isRedriven },
      );
    } else {
      const stale = events.filter((event) => world.applied.has(event)).length;
      for (const event of events) world.applied.add(event);
      const entry = await store.finish(
        key,
        "applied",
        { applied: size - stale, stale, dead: 0 },
        { nowMs: world.nowMs, redriven: isRedriven },
      );
      if (entry.correctionPending) await store.correct(key);
    }
  } else if (found?.correctionPending === true) await store.correct(key);
  // Sometimes the message is delivered again nevertheless.
  const place = world.queue.indexOf(message);
  if (place !== -1 && !world.chance(0.2)) world.queue.splice(place, 1);
}

/** Sends some dead messages back to the queue. */
export async function redrive(world: World, store: CheckpointStore): Promise<void> {
  await store.getRun(RUN);
  const count = world.pick(world.deadLetters.length + 1);
  world.queue.push(...world.deadLetters.splice(0, count).map((message) => ({ ...message, isRedriven: true })));
}

/** Meanwhile late batches take new slots. */
export async function hurry(world: World, store: CheckpointStore): Promise<void> {
  await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 1 + world.pick(20), nowMs: world.nowMs });
  if (world.chance(0.3))
    await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: world.nowMs - 10, nowMs: world.nowMs });
}

function isCrash(error: unknown): boolean {
  return error instanceof Crash || (error instanceof Error && isCrash(error.cause));
}
