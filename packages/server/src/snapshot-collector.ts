/** Collects a Snapshot of each open run, with what only this process knows: its memory, its consumers, its connections. */
import { collectSnapshot, rateMeters } from "@firehose-backfill/status/collect-snapshot";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { isFinished } from "@firehose-backfill/core/run-state";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import type { Adapters } from "./adapters.ts";
import type { LocalConsumers } from "./local-consumers.ts";

export interface SnapshotCollector {
  /**
   * Snapshots of each open run, and once more of runs that have ended since the last call; if there are none, of the last run.
   * The last element is the one to show where only one is shown.
   */
  all(): Promise<readonly Snapshot[]>;
  /** The snapshot of any run. */
  of(runId: string): Promise<Snapshot>;
}

export function snapshotCollector(options: {
  readonly adapters: Adapters;
  readonly clock: Clock;
  readonly config: Config;
  readonly memory: MemoryGuard;
  readonly consumers: LocalConsumers;
}): SnapshotCollector {
  const { adapters, clock, config, memory, consumers } = options;
  const { store } = adapters;
  const meters = rateMeters();
  let openBefore: readonly string[] = [];

  const collect = (figures: () => Promise<QueueFigures>, runId?: string) => {
    const { active, poolUsed, poolSize, rssMb } = consumers.figures();
    return collectSnapshot({
      store,
      queue: { figures },
      items: adapters.items,
      clock,
      config,
      ...(runId === undefined ? {} : { runId, meter: meters.of(runId) }),
      local: { consumerId: null, memoryUsedMb: rssMb ?? memory.usedMb(), active, poolUsed, poolSize },
    });
  };

  return {
    async all() {
      const open = (await store.openRuns()).map(({ runId }) => runId);
      const ended = openBefore.filter((runId) => !open.includes(runId));
      const asked = adapters.queue.figures();
      const snapshots: Snapshot[] = [];
      for (const runId of [...ended, ...open]) snapshots.push(await collect(() => asked, runId));
      openBefore = snapshots.flatMap(({ runId, status }) =>
        runId === null || status === "none" || isFinished(status) ? [] : [runId],
      );
      meters.keepOnly([...ended, ...open]);
      if (snapshots.length > 0) return snapshots;
      const last = await store.currentRun();
      return [await collect(() => asked, last?.runId)];
    },
    of: (runId) => collect(() => adapters.queue.figures(), runId),
  };
}
