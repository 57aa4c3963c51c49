/**
 * The local schedule: runs ticks one after the other, as soon as each says. `poke()` ends the current window and ticks again,
 * so that a pause, a cancel or a tune takes effect at once. A failed tick is logged and repeated.
 */
import type { ReaderDeps } from "@firehose-backfill/backfill/deps";
import { createOutageLog } from "@firehose-backfill/backfill/outage-log";
import { runTick, type Tick } from "@firehose-backfill/backfill/run-tick";
import { describeError } from "@firehose-backfill/core/errors";

const AFTER_FAILURE_MS = 2_000;

export interface ReaderLoop {
  poke(): void;
  /** Resolves when the loop has ended, which only happens after `signal` aborts. */
  readonly done: Promise<void>;
}

export function startReaderLoop(
  deps: ReaderDeps,
  options: { readonly signal: AbortSignal; readonly onTick: (tick: Tick) => void },
): ReaderLoop {
  let poked = new AbortController();
  const outages = createOutageLog(deps);

  const loop = async () => {
    while (!options.signal.aborted) {
      poked = new AbortController();
      const signal = AbortSignal.any([options.signal, poked.signal]);
      let nextInMs = AFTER_FAILURE_MS;
      try {
        const tick = await runTick(deps, { signal, firstRuns: null });
        ({ nextInMs } = tick);
        for (const result of tick.runs) outages.note(result);
        options.onTick(tick);
      } catch (error) {
        deps.log(`[BACKFILL] A tick failed, the next one is in ${AFTER_FAILURE_MS / 1000} s: ${describeError(error)}`);
      }
      await deps.clock.sleep(nextInMs, signal);
    }
  };

  return { poke: () => poked.abort(), done: loop() };
}
