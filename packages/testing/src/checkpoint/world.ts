/**
 * A small world around a store: a stream of events, a queue that delivers twice and loses messages, a database, readers
 * and consumers that may stop for ever at any step. What they do is the order that the architecture prescribes.
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
  /** Chance that an actor ends at a step: before it, or after it and before it knows. */
  readonly crashRate: number;
}

interface Message {
  readonly key: BatchKey;
  readonly events: readonly number[];
  /** From the dead-letter queue: the ledger has it as dead, and nothing but a redrive brings it back. */
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
  /** What the run was at the last look. */
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

  /** No more crashes, refusals or losses: what is left is brought to its end. */
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

  /** A process: what it does, again and again, each time it crashes from the beginning and with a connection of its own. */
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

  /** The invariants that hold at every moment. @throws when one does not */
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

/** One tick: lease, advance the applied cursor, sweep, read a window, release. */
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
 * All messages are gone: what is not applied is read again. Consumers may still hold some. What was being redriven is
 * not read again, and would stay dead; so it is spared.
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

/** One message: void or already counted, unless it was dead; begin; apply or give up; ledger; correct; remove. */
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
      // Before the ledger says so: what is dead must be somewhere, or nobody can send it again.
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
  // Sometimes the message comes again all the same.
  const place = world.queue.indexOf(message);
  if (place !== -1 && !world.chance(0.2)) world.queue.splice(place, 1);
}

/** Sends some of what is dead back to the queue. */
export async function redrive(world: World, store: CheckpointStore): Promise<void> {
  await store.getRun(RUN);
  const count = world.pick(world.deadLetters.length + 1);
  world.queue.push(...world.deadLetters.splice(0, count).map((message) => ({ ...message, isRedriven: true })));
}

/** Late batches take new slots meanwhile. */
export async function hurry(world: World, store: CheckpointStore): Promise<void> {
  await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 1 + world.pick(20), nowMs: world.nowMs });
  if (world.chance(0.3))
    await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: world.nowMs - 10, nowMs: world.nowMs });
}

function isCrash(error: unknown): boolean {
  return error instanceof Crash || (error instanceof Error && isCrash(error.cause));
}
