/** Holds the lease during a tick: renews it in time, and aborts the tick's signal when it is lost. */
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import type { Clock } from "@firehose-backfill/core/clock";

export interface LeaseKeeper {
  /** Aborts when the lease is lost or the caller's `stop` aborts. */
  readonly signal: AbortSignal;
  readonly isLost: () => boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

export function keepLease(options: {
  readonly store: RunStore;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly ttlMs: number;
  readonly signal: AbortSignal;
}): LeaseKeeper {
  const { store, clock, lease, ttlMs } = options;
  const lost = new AbortController();
  const done = new AbortController();

  const renewing = (async () => {
    for (;;) {
      await clock.sleep(ttlMs / 3, done.signal);
      if (done.signal.aborted) return;
      try {
        if (await store.renewLease(lease, { ttlMs, nowMs: clock.now() })) continue;
      } catch {
        // The table cannot be reached. Try again; if the lease expires meanwhile, the fence makes the table refuse our writes.
        continue;
      }
      lost.abort();
      return;
    }
  })();

  return {
    signal: AbortSignal.any([options.signal, lost.signal]),
    isLost: () => lost.signal.aborted,
    async [Symbol.asyncDispose]() {
      done.abort();
      await renewing;
    },
  };
}
