/**
 * What is tidied when a run has succeeded: tombstones so old that nothing which may still come could be older. A bounded
 * piece of work; what is left is taken by the next run, or by `doctor --fix`.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { openDatabase } from "@firehose-backfill/sink/connection";
import { removeOldTombstones, TOMBSTONE_DAYS } from "@firehose-backfill/sink/tombstones";

export interface TidyUpOptions {
  readonly databaseUrl: string;
  /** Batches that a redrive may bring back, and nobody knows what is in them. */
  readonly deadLetters: () => Promise<number>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** `--until-done` waits for it. */
const AT_MOST_MS = 20_000;

/** Never rejects: the run has succeeded, whatever becomes of this. */
export async function tidyUp(options: TidyUpOptions): Promise<void> {
  const { clock, log, signal } = options;
  try {
    if ((await options.deadLetters()) > 0) return;
    await using database = openDatabase({ databaseUrl: options.databaseUrl, poolSize: 1 });
    const removed = await removeOldTombstones({ database, clock, atMostMs: AT_MOST_MS, signal });
    if (removed > 0) log(`[BACKFILL] ${removed} tombstones older than ${TOMBSTONE_DAYS} days are removed`);
  } catch (error) {
    log(`[BACKFILL] Old tombstones stay for now: ${describeError(error)}`);
  }
}
