/**
 * Sends messages until the server has confirmed each by its id. SQS answers 200 to a call of ten even if it accepted none of them, so
 * only the list of accepted ids counts.
 */
import {
  type MessageAttributeValue,
  SendMessageBatchCommand,
  type SendMessageBatchResult,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Clock } from "@firehose-backfill/core/clock";
import { isTransient, SendError } from "./queue-error.ts";

export interface Entry {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly delaySeconds: number;
  /** Its size, in the unit of `maxCallBytes`. */
  readonly bytes: number;
}

export interface SendOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** For all entries of one call together. */
  readonly maxCallBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each call whose entries are all confirmed; an error that it throws ends the send. */
  readonly onConfirmed?: (() => void | Promise<void>) | undefined;
}

const MAX_ENTRIES = 10;
const CALLS_IN_FLIGHT = 4;
/** Pauses of 100, 200, ... 3,200 ms, about three seconds in total, in addition to the SDK's own three tries of a call. */
const MAX_ATTEMPTS = 7;
const FIRST_PAUSE_MS = 100;

/**
 * Takes entries from `entries` as it goes, so that they need not all be in memory at once.
 * Resolves with the sum of their bytes.
 * @throws SendError after the last attempt; the signal's reason when it is aborted between calls
 */
export async function sendConfirmed(entries: Iterable<Entry>, options: SendOptions): Promise<number> {
  const calls = groupForCalls(entries, options.maxCallBytes);
  let sentBytes = 0;
  const work = async () => {
    // All loops share one generator: an error in one loop closes it, and the others end after their current call.
    for (const call of calls) {
      options.signal?.throwIfAborted();
      await sendCall(call, options);
      await options.onConfirmed?.();
      for (const entry of call) sentBytes += entry.bytes;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: CALLS_IN_FLIGHT }, work));
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
  return sentBytes;
}

/** Sends the entries of one call, and sends those again that were not confirmed. */
async function sendCall(call: readonly Entry[], options: SendOptions): Promise<void> {
  let pending = call;
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryOnce(pending, options);
    if (outcome.unconfirmed.length === 0) return;
    if (outcome.isTooLong && pending.length > 1) {
      // This server's limit for the entries of one call is lower than that of SQS.
      const half = Math.ceil(pending.length / 2);
      await sendCall(pending.slice(0, half), options);
      return sendCall(pending.slice(half), options);
    }
    pending = outcome.unconfirmed;
    if (attempt === MAX_ATTEMPTS) throw new SendError({ ...outcome, unconfirmed: pending.length });
    const longestMs = FIRST_PAUSE_MS * 2 ** (attempt - 1);
    await options.clock.sleep(longestMs * (0.5 + options.random() / 2), options.signal);
    options.signal?.throwIfAborted();
  }
}

interface Outcome {
  readonly unconfirmed: readonly Entry[];
  readonly because: string;
  readonly isRetryable: boolean;
  /** The call as a whole was too large. */
  readonly isTooLong?: boolean;
  readonly cause?: unknown;
}

/** The SDK's name of the error, and its name in the older protocol. */
const TOO_LONG: ReadonlySet<string> = new Set(["BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"]);

async function tryOnce(entries: readonly Entry[], options: SendOptions): Promise<Outcome> {
  let result: SendMessageBatchResult;
  try {
    result = await options.client.send(
      new SendMessageBatchCommand({
        QueueUrl: options.queueUrl,
        Entries: entries.map((entry, index) => ({
          Id: String(index),
          MessageBody: entry.body,
          MessageAttributes: entry.attributes,
          DelaySeconds: entry.delaySeconds,
        })),
      }),
    );
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    const isTooLong = error instanceof Error && TOO_LONG.has(error.name);
    return { unconfirmed: entries, because, isRetryable: isTransient(error), isTooLong, cause: error };
  }
  const confirmed = new Set(result.Successful?.map(({ Id }) => Id));
  // The server says that it will never accept these.
  const refused = new Set(result.Failed?.filter(({ SenderFault }) => SenderFault).map(({ Id }) => Id));
  const ids = entries.map((_, index) => String(index)).filter((id) => !confirmed.has(id));
  const [failed] = result.Failed ?? [];
  return {
    unconfirmed: ids.flatMap((id) => entries[Number(id)] ?? []),
    because: failed === undefined ? "the answer does not name them" : `${failed.Code}: ${failed.Message ?? ""}`,
    isRetryable: !ids.some((id) => refused.has(id)),
  };
}

function* groupForCalls(entries: Iterable<Entry>, maxCallBytes: number): Generator<readonly Entry[]> {
  let call: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (call.length === MAX_ENTRIES || (call.length > 0 && bytes + entry.bytes > maxCallBytes)) {
      yield call;
      call = [];
      bytes = 0;
    }
    call.push(entry);
    bytes += entry.bytes;
  }
  if (call.length > 0) yield call;
}
