/**
 * Removes the messages of finished batches. Where they follow each other closely, as without a pace, ten go with one request, up to half a
 * second later; at a pace each goes at once. Their results are in the ledger by then, so if
 * the process ends before, each message comes again, is recognised and removed.
 */
import { describeError } from "@firehose-backfill/core/errors";
import type { Clock } from "@firehose-backfill/core/clock";
import type { BatchQueue } from "@firehose-backfill/queue/types";

/** Of one request to SQS. */
const MOST = 10;
/** Far less than the time for which a message is still hidden. */
const LONGEST_MS = 500;
/** Ten of them come within the longest wait only if they are no further apart. */
const CLOSE_MS = LONGEST_MS / MOST;

/** Disposing it removes what is left. */
export interface Removals extends AsyncDisposable {
  /** Resolves at once. */
  remove(receiptHandle: string): Promise<void>;
}

export function joinRemovals(options: {
  readonly queue: Pick<BatchQueue, "remove" | "removeMany">;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly log: (line: string) => void;
}): Removals {
  const { queue, clock, log } = options;
  let handles: string[] = [];
  let waiting: AbortController | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  const sending = new Set<Promise<void>>();

  const send = () => {
    const now = handles;
    handles = [];
    waiting?.abort();
    waiting = null;
    const [first] = now;
    if (first === undefined) return;
    const sent = (now.length === 1 ? queue.remove(first) : queue.removeMany(now))
      .catch((error: unknown) => log(`[BACKFILL] Consumer: ${describeError(error)}`))
      .finally(() => sending.delete(sent));
    sending.add(sent);
  };

  const sendSoon = async () => {
    const stop = new AbortController();
    waiting = stop;
    await clock.sleep(LONGEST_MS, stop.signal);
    if (!stop.signal.aborted) send();
  };

  return {
    remove(receiptHandle) {
      handles.push(receiptHandle);
      const nowMs = clock.now();
      const isAlone = nowMs - lastMs > CLOSE_MS;
      lastMs = nowMs;
      if (handles.length >= MOST || (isAlone && waiting === null)) send();
      else if (waiting === null) void sendSoon();
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      send();
      await Promise.all(sending);
    },
  };
}
