/** Events that no message holds: whether compression helps, and the dead entry that stands for one. */
import type { EventSlice } from "@firehose-backfill/core/cbor/event-log";
import type { DeadEntry, FirehoseEvent } from "@firehose-backfill/core/event";
import { encodeMessage, messageBytes } from "./message-codec.ts";
import type { QueueLimits } from "./types.ts";

export type PackLimits = Pick<QueueLimits, "maxMessageBytes">;

/** The bytes of a message besides its events: the body, the key, heads, the attribute's name. */
export const ENVELOPE_BYTES = 1024;
const MAX_DEAD_PAYLOAD_BYTES = 16 * 1024;
const MAX_SHOWN_CHARS = 512;
/** What atproto allows a key of a repository. */
export const MAX_KEY_CHARS = 1024;
const MAX_DID_CHARS = 2048;

/** Encodes the events, because only compression shows whether they fit. */
export function fitsAlone(events: EventSlice, limits: PackLimits): boolean {
  const key = { runId: "", generation: 0, window: 0, fence: 0, number: 0 };
  const message = encodeMessage({ key, dueMs: 0, paceVersion: 0, events });
  return messageBytes(message) + ENVELOPE_BYTES <= limits.maxMessageBytes;
}

export function tooLarge(event: FirehoseEvent, bytes: number, { maxMessageBytes }: PackLimits): DeadEntry {
  const path =
    event.kind === "record" ? `${event.collection}/${event.rkey}` : event.kind === "dead" ? event.path : null;
  // A repository's keys are bounded, and of a record in a range the key is needed whole: what is not named is deleted.
  const mostChars = event.seq === 0 ? MAX_KEY_CHARS : MAX_SHOWN_CHARS;
  const shownPath = path === null ? null : truncate(path, mostChars);
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

/** The first bytes of the part that made it large, in their own memory: a view would keep the whole part. */
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
  // The cut may leave half of a surrogate pair, which CBOR cannot encode.
  return text.length <= chars ? text : `${text.slice(0, chars).toWellFormed()}…`;
}
