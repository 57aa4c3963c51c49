/** Collects a Snapshot of the run with what only this process knows: its memory, its consumers, its connections. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { collectSnapshot, createRateMeter } from "@firehose-backfill/status/collect-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import type { Adapters } from "./adapters.ts";
import type { LocalConsumers } from "./local-consumers.ts";

export function snapshotCollector(options: {
  readonly adapters: Adapters;
  readonly clock: Clock;
  readonly config: Config;
  readonly memory: MemoryGuard;
  readonly consumers: LocalConsumers;
}): () => Promise<Snapshot> {
  const { adapters, clock, config, memory, consumers } = options;
  const meter = createRateMeter();
  return () => {
    const { active, poolUsed, poolSize, rssMb } = consumers.figures();
    return collectSnapshot({
      store: adapters.store,
      queue: adapters.queue,
      items: adapters.items,
      clock,
      config,
      meter,
      local: { consumerId: null, memoryUsedMb: rssMb ?? memory.usedMb(), active, poolUsed, poolSize },
    });
  };
}
