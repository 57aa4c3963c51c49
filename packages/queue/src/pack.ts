/** Packs events into batches, in order; each batch fits into one message. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { EventSlice } from "@firehose-backfill/core/cbor/event-slice";
import type { DeadEntry } from "@firehose-backfill/core/event";
import { cutRanges } from "./cut-ranges.ts";
import { ENVELOPE_BYTES, fitsAlone, type PackLimits, tooLarge } from "./too-large.ts";

/** The largest entry that tooLarge() creates must fit. */
const MIN_EVENT_BYTES = 32 * 1024;
/** 33 KiB. A queue with a smaller limit cannot be used: even the dead entry of an event that is too large would not fit. */
export const LEAST_MESSAGE_BYTES = MIN_EVENT_BYTES + ENVELOPE_BYTES;

/**
 * Returns groups of at most `batchSize` events that together are exactly `log`, in order. A range of a repository stays with
 * its records and counts as them; a range that is too large is cut into several. Each group encodes to at most
 * `limits.maxMessageBytes`. An event that is too large for a message of its own, even compressed, is replaced at its position by a
 * DeadEntry with the reason `too-large`.
 * @throws RangeError when the limit is below 33 KiB
 */
export function packBatches(
  log: EventLog,
  options: { readonly batchSize: number; readonly limits: PackLimits },
): readonly EventSlice[] {
  const eventBytes = options.limits.maxMessageBytes - ENVELOPE_BYTES;
  if (eventBytes < MIN_EVENT_BYTES)
    throw new RangeError(`a message of ${eventBytes} bytes is too small for a dead entry`);
  const { batchSize, limits } = options;
  const { fitting, alone } = log.slice().hasRanges
    ? cutRanges(log, { batchSize, eventBytes, limits })
    : replaceTooLarge(log, eventBytes, limits);
  const batches: EventSlice[] = [];
  let start = 0;
  const closeAt = (end: number) => {
    if (end > start) batches.push(fitting.slice(start, end));
    start = end;
  };
  let isAfterAlone = false;
  for (let index = 0; index < fitting.length;) {
    const end = fitting.groupEnd(index);
    const isFull = fitting.countedBetween(start, end) > batchSize || fitting.bytesOf(start, end) > eventBytes;
    if (isFull || isAfterAlone || alone.has(index)) closeAt(index);
    isAfterAlone = alone.has(index);
    index = end;
  }
  closeAt(fitting.length);
  return batches;
}

/** `alone`: large events that fit into a message of their own when compressed. Both kinds are rare. */
function replaceTooLarge(log: EventLog, eventBytes: number, limits: PackLimits) {
  const alone = new Set<number>();
  const dead = new Map<number, DeadEntry>();
  for (let index = 0; index < log.length; index++) {
    const bytes = log.bytesOf(index, index + 1);
    if (bytes <= eventBytes) continue;
    if (fitsAlone(log.slice(index, index + 1), limits)) alone.add(index);
    else dead.set(index, tooLarge(log.at(index), bytes, limits));
  }
  return { fitting: dead.size === 0 ? log : log.replacing(dead), alone };
}
