/** Packs events into batches, in order; each batch fits into one message. */
import type { EventLog, EventSlice } from "@firehose-backfill/core/cbor/event-log";
import { cutText } from "@firehose-backfill/core/cut-text";
import { aboutEvent, deadEntry, MAX_DEAD_PAYLOAD_BYTES } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry, FirehoseEvent } from "@firehose-backfill/core/event";
import { encodeMessage, messageBytes } from "./message-codec.ts";
import type { QueueLimits } from "./types.ts";

/** The bytes of a message besides its events: the body, the key, heads, the attribute's name. */
const ENVELOPE_BYTES = 1024;
/** The largest entry that tooLarge() creates must fit. */
const MIN_EVENT_BYTES = 32 * 1024;
/** 33 KiB. A queue with a smaller limit cannot be used: even the dead entry of an event that is too large would not fit. */
export const LEAST_MESSAGE_BYTES = MIN_EVENT_BYTES + ENVELOPE_BYTES;
const MAX_SHOWN_CHARS = 512;

type PackLimits = Pick<QueueLimits, "maxMessageBytes">;

/**
 * Returns groups of at most `batchSize` events that together are exactly `log`, in order. Each group encodes to at most
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

/** Encodes the events, because only compression shows whether they fit. */
function fitsAlone(events: EventSlice, limits: PackLimits): boolean {
  const key = { runId: "", generation: 0, window: 0, fence: 0, number: 0 };
  const message = encodeMessage({ key, dueMs: 0, paceVersion: 0, events });
  return messageBytes(message) + ENVELOPE_BYTES <= limits.maxMessageBytes;
}

function tooLarge(event: FirehoseEvent, bytes: number, { maxMessageBytes }: PackLimits): DeadEntry {
  const about = aboutEvent(event);
  const path = about.path === null ? null : cutText(about.path, MAX_SHOWN_CHARS);
  const key = path ?? `${event.kind} of ${cutText(event.did ?? "an unknown repo", MAX_SHOWN_CHARS)}`;
  return deadEntry({
    ...about,
    path,
    reason: "too-large",
    error: `${key} takes ${bytes} bytes, more than one message of the queue holds (${maxMessageBytes})`,
    payload: textOf(event) ?? about.payload,
  });
}

/** The text that made a marker large. null: it has none, or the event is not a marker. */
function textOf(event: FirehoseEvent): Uint8Array | null {
  const { kind } = event;
  switch (kind) {
    case "account":
      return toBytes(event.status);
    case "identity":
      return toBytes(event.handle);
    case "sync":
      return toBytes(event.rev);
    case "record":
    case "dead":
      return null;
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

function toBytes(text: string | null): Uint8Array | null {
  // The text may hold megabytes. Its beginning is already longer than a payload.
  return text === null ? null : Buffer.from(text.slice(0, MAX_DEAD_PAYLOAD_BYTES));
}
