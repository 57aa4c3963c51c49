/** Events into batches, in order, each within what one message may hold. */
import type { EventLog, EventSlice } from "@firehose-backfill/core/cbor/event-log";
import type { DeadEntry, FirehoseEvent } from "@firehose-backfill/core/event";
import { encodeMessage, messageBytes } from "./message-codec.ts";
import type { QueueLimits } from "./types.ts";

/** Of a message, everything that is not an event: the body, the key, heads, the attribute's name. */
const ENVELOPE_BYTES = 1024;
/** The largest entry that tooLarge() makes has to fit. */
const MIN_EVENT_BYTES = 32 * 1024;
/** A queue that takes less cannot be used: not even the dead entry of an event that does not fit would fit. 33 KiB. */
export const LEAST_MESSAGE_BYTES = MIN_EVENT_BYTES + ENVELOPE_BYTES;
const MAX_DEAD_PAYLOAD_BYTES = 16 * 1024;
const MAX_SHOWN_CHARS = 512;
const MAX_DID_CHARS = 2048;

type PackLimits = Pick<QueueLimits, "maxMessageBytes">;

/**
 * Groups of at most `batchSize` events, together exactly `log`: none lost, none moved. Each group encodes to at most
 * `limits.maxMessageBytes`. An event too large for a message of its own, even compressed, is replaced where it stands by a
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
  const { fitting, alone } = replaceTooLarge(log, eventBytes, options.limits);
  const batches: EventSlice[] = [];
  let start = 0;
  const closeAt = (end: number) => {
    if (end > start) batches.push(fitting.slice(start, end));
    start = end;
  };
  for (let index = 0; index < fitting.length; index++) {
    const isFull = index - start === options.batchSize || fitting.bytesOf(start, index + 1) > eventBytes;
    if (isFull || alone.has(index) || alone.has(index - 1)) closeAt(index);
  }
  closeAt(fitting.length);
  return batches;
}

/** `alone`: those that fit into a message of their own, because they compress. Both kinds are rare. */
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

/** Encodes it, for only compression can tell. */
function fitsAlone(events: EventSlice, limits: PackLimits): boolean {
  const key = { runId: "", generation: 0, window: 0, fence: 0, number: 0 };
  const message = encodeMessage({ key, dueMs: 0, paceVersion: 0, events });
  return messageBytes(message) + ENVELOPE_BYTES <= limits.maxMessageBytes;
}

function tooLarge(event: FirehoseEvent, bytes: number, { maxMessageBytes }: PackLimits): DeadEntry {
  const path =
    event.kind === "record" ? `${event.collection}/${event.rkey}` : event.kind === "dead" ? event.path : null;
  const shownPath = path === null ? null : truncate(path, MAX_SHOWN_CHARS);
  const key = shownPath ?? `${event.kind} of ${truncate(event.did ?? "an unknown repo", MAX_SHOWN_CHARS)}`;
  return {
    kind: "dead",
    seq: event.seq,
    timeMs: event.timeMs,
    did: event.did !== null && event.did.length <= MAX_DID_CHARS ? event.did : null,
    path: shownPath,
    reason: "too-large",
    error: `${key} takes ${bytes} bytes, more than one message of the queue holds (${maxMessageBytes})`,
    payload: beginningOf(event),
  };
}

/** The first bytes of what made it large, in memory of their own: a view would keep the whole of it. */
function beginningOf(event: FirehoseEvent): Uint8Array {
  const { kind } = event;
  switch (kind) {
    case "record":
      return new Uint8Array((event.record ?? new Uint8Array()).subarray(0, MAX_DEAD_PAYLOAD_BYTES));
    case "dead":
      return new Uint8Array(event.payload.subarray(0, MAX_DEAD_PAYLOAD_BYTES));
    case "account":
    case "identity":
    case "sync": {
      const text = kind === "account" ? event.status : kind === "identity" ? event.handle : event.rev;
      return Buffer.from((text ?? "").slice(0, MAX_DEAD_PAYLOAD_BYTES)).subarray(0, MAX_DEAD_PAYLOAD_BYTES);
    }
    // Its keys are bounded: it always fits.
    case "range":
      return new Uint8Array();
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

function truncate(text: string, chars: number): string {
  // Half of a pair would be left by the cut, and CBOR has no way to write it.
  return text.length <= chars ? text : `${text.slice(0, chars).toWellFormed()}…`;
}
