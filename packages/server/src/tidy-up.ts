/**
 * What is tidied when a run has succeeded: tombstones so old that nothing which may still come could be older. A bounded
 * piece of work; what is left is taken by the next run, or by `doctor --fix`.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { openDatabase } from "@firehose-backfill/sink/connection";
import { removeOldTombstones } from "@firehose-backfill/sink/tombstones";

export interface TidyUpOptions {
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** By event time. Longer than relays keep events and the queues keep messages, one after the other. */
const TOMBSTONE_DAYS = 30;
/** `--until-done` waits for it. */
const AT_MOST_MS = 20_000;

/** Never rejects: the run has succeeded, whatever becomes of this. */
export async function tidyUp({ databaseUrl, clock, log, signal }: TidyUpOptions): Promise<void> {
  const enough = new AbortController();
  const done = new AbortController();
  const limit = clock.sleep(AT_MOST_MS, AbortSignal.any([signal, done.signal])).then(() => enough.abort());
  try {
    await using database = openDatabase({ databaseUrl, poolSize: 1 });
    const removed = await removeOldTombstones({
      database,
      clock,
      olderThanDays: TOMBSTONE_DAYS,
      signal: AbortSignal.any([signal, enough.signal]),
    });
    if (removed > 0) log(`[BACKFILL] ${removed} tombstones older than ${TOMBSTONE_DAYS} days are removed`);
  } catch (error) {
    log(`[BACKFILL] Old tombstones stay for now: ${describeError(error)}`);
  } finally {
    done.abort();
    await limit;
  }
}
