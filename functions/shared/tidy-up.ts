/**
 * What is tidied between two runs: tombstones so old that nothing which may still come could be older. The reader, which
 * sees a run end, has no database; so it is done before the next one begins, or by `doctor --fix`.
 */
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import { openDatabase } from "@firehose-backfill/sink/connection";
import { removeOldTombstones } from "@firehose-backfill/sink/tombstones";

/** Somebody waits for the answer of their start. */
const AT_MOST_MS = 5_000;

/** Never rejects: it can wait for the next time. */
export async function tidyUp(options: {
  readonly databaseUrl: string;
  readonly store: Pick<RunStore, "currentRun">;
  readonly queue: Pick<BatchQueue, "figures">;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}): Promise<void> {
  const { store, queue, clock, log } = options;
  try {
    // A batch of an open run, or a dead letter that is redriven, may hold what is older than any tombstone.
    if ((await store.currentRun({ openOnly: true })) !== null || (await queue.figures()).deadLetters > 0) return;
    await using database = openDatabase({ databaseUrl: options.databaseUrl, poolSize: 1 });
    const removed = await removeOldTombstones({ database, clock, atMostMs: AT_MOST_MS });
    if (removed > 0) log(`[BACKFILL] ${removed} old tombstones are removed`);
  } catch (error) {
    log(`[BACKFILL] Old tombstones stay for now: ${describeError(error)}`);
  }
}
