/** The run as this process last read it, read often enough for its settings to be current between two messages. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";

const EVERY_MS = 1_000;

export interface RunWatch {
  readonly current: () => Run | null;
  refresh(): Promise<Run | null>;
  readonly done: Promise<void>;
}

export function watchRun(options: {
  readonly store: RunStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly first: Run | null;
}): RunWatch {
  const { store, clock, signal } = options;
  let current = options.first;
  const refresh = async () => {
    current = await store.currentRun();
    return current;
  };
  const loop = async () => {
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal);
      // The table cannot be reached now, so the state of a second ago is used.
      await refresh().catch(() => undefined);
    }
  };
  return { current: () => current, refresh, done: loop() };
}
