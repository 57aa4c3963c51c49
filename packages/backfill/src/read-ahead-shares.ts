/**
 * Who may read how much, while the runs of a tick read at the same time. Each asks before each window. A run that reads alone
 * has all of what is free. One that has used its share waits, as long as others read, for what they leave.
 */
import { isResyncRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import { shareReadAhead } from "./share-read-ahead.ts";
import type { Outstanding } from "./advance-applied.ts";

export interface ReadAheadShares {
  /** Before any of them asks: each run that is going to read. */
  join(run: Run, how: { readonly isLasting: boolean; readonly outstanding: Outstanding }): SharedReader;
}

export interface SharedReader {
  /** Runs that read, this one included. */
  readers(): number;
  /** Of all runs that read: this one's as it is now, the others' as they last said. */
  outstandingOfAll(own: Outstanding): Pick<Outstanding, "events" | "bytes">;
  /** How many of the free events this run may read now. What others are reading is not free any more. */
  mayRead(run: Run, freeEvents: number): number;
  /** The most that it has a use for, as its last window said; Infinity: not known. */
  wanted(): number;
  /** A window is being read, of at most so many events. */
  begins(events: number): void;
  /** It is over. `matched`: its events; `isFull`: there is more where they came from. */
  ended(window: { readonly matched: number; readonly isFull: boolean }): void;
  /** Waits until another run has ended a window or has left, or for five seconds. false: all others wait as well, or there are none. */
  waitForOthers(signal: AbortSignal): Promise<boolean>;
  leave(): void;
}

interface Entry {
  run: Run;
  readonly isLasting: boolean;
  outstanding: Pick<Outstanding, "events" | "bytes">;
  reading: number;
  wanted: number;
  isWaiting: boolean;
}

const LOOK_AGAIN_MS = 5_000;

/** Of the runs of one pace. */
export function createShares(clock: Clock): ReadAheadShares {
  const entries = new Map<string, Entry>();
  let changed = Promise.withResolvers<undefined>();
  const change = () => {
    changed.resolve(undefined);
    changed = Promise.withResolvers<undefined>();
  };
  return {
    join(joining, { isLasting, outstanding }) {
      const { runId } = joining;
      const own: Entry = {
        run: joining,
        isLasting,
        outstanding,
        reading: 0,
        wanted: Number.POSITIVE_INFINITY,
        isWaiting: false,
      };
      entries.set(runId, own);
      const others = () => [...entries.values()].filter((entry) => entry !== own);
      return {
        readers: () => entries.size,
        outstandingOfAll(outstandingNow) {
          own.outstanding = outstandingNow;
          const all = [...entries.values()].map((entry) => entry.outstanding);
          return { events: sum(all.map(({ events }) => events)), bytes: sum(all.map(({ bytes }) => bytes)) };
        },
        mayRead(run, freeEvents) {
          own.run = run;
          if (entries.size <= 1) return freeEvents;
          const free = Math.max(0, freeEvents - sum(others().map(({ reading }) => reading)));
          const sharers = [...entries.values()].map((entry) => ({
            run: entry.run,
            isLasting: entry.isLasting,
            isRepair: isResyncRun(entry.run),
            plannedEvents: entry.outstanding.events + entry.reading,
            wantedEvents: Math.max(0, entry.wanted - entry.reading),
          }));
          const { batchSize } = run.throttle;
          return shareReadAhead(sharers, free, { nowMs: clock.now(), batchSize }).get(runId) ?? 0;
        },
        wanted: () => own.wanted,
        begins(events) {
          own.isWaiting = false;
          own.reading = events;
        },
        ended({ matched, isFull }) {
          own.reading = 0;
          // A source that gave less than it might have has no more for now: what it gave is what it is expected to give next.
          own.wanted = isFull ? Number.POSITIVE_INFINITY : matched + own.run.throttle.batchSize;
          change();
        },
        async waitForOthers(signal) {
          // Waiting wakes nobody: those who wait would wake each other for ever.
          own.isWaiting = true;
          if (others().every(({ isWaiting }) => isWaiting)) return false;
          const awake = new AbortController();
          const sleeping = clock.sleep(LOOK_AGAIN_MS, AbortSignal.any([signal, awake.signal]));
          await Promise.race([changed.promise, sleeping]);
          awake.abort();
          return true;
        },
        leave() {
          entries.delete(runId);
          change();
        },
      };
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
