/** How fast the copy is read: so many rows a second at most, and nothing while production is not well. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { ProductionHealth } from "@firehose-backfill/sink/production-health";

export interface ReadPace {
  /** Resolves when production is well, or when the signal aborts. */
  whenWell(signal: AbortSignal): Promise<void>;
  /** Waits for as long as so many rows take at the pace. @throws NotWellError */
  afterRows(rows: number, signal: AbortSignal): Promise<void>;
}

export interface ReadPaceOptions {
  readonly clock: Clock;
  readonly health: ProductionHealth["health"];
  readonly rowsPerSecond: number;
  /** Production is not well: once each time. */
  readonly onWaiting: (because: string) => void;
}

/** In the middle of a repository: its snapshot is given back, and it is read from its beginning when production is well. */
export class NotWellError extends Error {
  override readonly name = "NotWellError";

  isRetryable(): boolean {
    return true;
  }
}

const ASK_AGAIN_MS = 5_000;
/** What is less than a look at the clock is waited for later. */
const SHORTEST_MS = 20;

export function createReadPace({ clock, health, rowsPerSecond, onWaiting }: ReadPaceOptions): ReadPace {
  let freeAtMs = 0;
  return {
    async whenWell(signal) {
      let isTold = false;
      while (!signal.aborted) {
        const answer = await health();
        if (answer.kind === "healthy") return;
        if (!isTold) onWaiting(answer.because);
        isTold = true;
        await clock.sleep(ASK_AGAIN_MS, signal);
      }
    },
    async afterRows(rows, signal) {
      const nowMs = clock.now();
      freeAtMs = Math.max(freeAtMs, nowMs) + (rows / rowsPerSecond) * 1_000;
      if (freeAtMs - nowMs > SHORTEST_MS) await clock.sleep(freeAtMs - nowMs, signal);
      const answer = await health();
      if (answer.kind === "unhealthy") throw new NotWellError(answer.because);
    },
  };
}
