/**
 * A clock for simulations: time stops until a test moves it, and then jumps from one sleeper to the next.
 * An hour of pacing takes seconds, and always happens in the same order. It waits for promises, not for sockets or files.
 */
import type { Clock } from "@firehose-backfill/core/clock";

/** After this many turns of the event loop without a use of the clock, nothing more is expected at this moment. */
const QUIET_TURNS = 4;
/** Code that uses the clock in every turn for this long without sleeping is a busy loop. */
const MAX_TURNS = 100_000;

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  /** The next one to wake is last; of two that are due together, the one that slept first wakes first. */
  readonly #sleepers: Sleeper[] = [];
  /** Counts uses of the clock: while they continue, the moment is not over. */
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

  /** Even a sleep of 0 ms ends only when the clock is moved. */
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

  /** How many sleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Lets `ms` pass. */
  advance(ms: number): Promise<void> {
    return this.run(this.#nowMs + ms);
  }

  /** Lets time pass until `untilMs`; each sleeper wakes at its own time, and everything that follows is done. */
  async run(untilMs: number): Promise<void> {
    await this.settle();
    while (await this.#wakeNext(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    await this.settle();
  }

  /** Lets time pass until `isDone()`. False: `limitMs` passed, or no sleeper was left, and it was still false. */
  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + limitMs;
    await this.settle();
    while (!isDone()) {
      if (!(await this.#wakeNext(untilMs))) return false;
    }
    return true;
  }

  /** Does everything that can happen without time passing. */
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

/** Runs by itself: whenever nothing else happens in this process, it jumps to the next sleeper. For tests that only await. */
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
