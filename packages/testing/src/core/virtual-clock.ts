/**
 * A clock for simulations: time stands still until it is told to go on, and then jumps from sleeper to sleeper.
 * An hour of pacing takes seconds, and always happens in the same order. It waits for promises, not for sockets or files.
 */
import type { Clock } from "@firehose-backfill/core/clock";

/** Turns of the event loop without a look at the clock, after which nothing more is expected to happen at this moment. */
const QUIET_TURNS = 4;
/** Something that looks at the clock in every turn for so long, without ever sleeping, is a busy loop. */
const MAX_TURNS = 100_000;

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  /** The next one to wake last; of two due at once, the one that lay down first wakes first. */
  readonly #sleepers: Sleeper[] = [];
  /** Counts uses of the clock: while they go on, the moment is not over. */
  #uses = 0;

  readonly #maxTurns: number;

  constructor(startMs = Date.UTC(2026, 0, 1), options: { readonly maxTurns?: number } = {}) {
    this.#nowMs = startMs;
    this.#maxTurns = options.maxTurns ?? MAX_TURNS;
  }

  now(): number {
    this.#uses += 1;
    return this.#nowMs;
  }

  /** A sleep of 0 ms, too, ends only when the clock is run. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#uses += 1;
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const sleeper = {
        dueMs: this.#nowMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        sleeper.wake();
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#insert(sleeper);
    });
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Lets `ms` pass. */
  advance(ms: number): Promise<void> {
    return this.run(this.#nowMs + ms);
  }

  /** Lets time pass until `untilMs`, waking every sleeper at its own time and letting all that follows from it happen. */
  async run(untilMs: number): Promise<void> {
    await this.settle();
    while (await this.#wakeNext(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    await this.settle();
  }

  /** Lets time pass until `isDone()`. False: `limitMs` passed, or nobody was asleep any more, and it still was not. */
  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + limitMs;
    await this.settle();
    while (!isDone()) {
      if (!(await this.#wakeNext(untilMs))) return false;
    }
    return true;
  }

  /** Lets everything happen that can without time passing. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns === this.#maxTurns) throw new Error("something waits in a busy loop for the virtual clock to move");
      const uses = this.#uses;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      quiet = this.#uses === uses ? quiet + 1 : 0;
    }
  }

  async #wakeNext(untilMs: number): Promise<boolean> {
    const next = this.#sleepers.at(-1);
    if (next === undefined || next.dueMs > untilMs) return false;
    this.#sleepers.pop();
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.wake();
    await this.settle();
    return true;
  }

  #insert(sleeper: Sleeper): void {
    let low = 0;
    let high = this.#sleepers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sleepers[middle]?.dueMs ?? 0) > sleeper.dueMs) low = middle + 1;
      else high = middle;
    }
    this.#sleepers.splice(low, 0, sleeper);
  }
}

/** Runs by itself: whenever nothing else goes on in this process, it jumps to the next sleeper. For tests that just await. */
export function selfRunningClock(startMs?: number): Clock {
  const clock = new VirtualClock(startMs);
  let isRunning = false;
  const pump = async () => {
    await clock.runUntil(() => clock.sleeping === 0, Number.POSITIVE_INFINITY);
    isRunning = false;
  };
  return {
    now: () => clock.now(),
    sleep: (ms, signal) => {
      const slept = clock.sleep(ms, signal);
      if (!isRunning) {
        isRunning = true;
        setImmediate(() => void pump());
      }
      return slept;
    },
  };
}
