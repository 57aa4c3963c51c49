/** Events that no message holds: whether compression helps, and the dead entry that stands for one. */
import type { EventSlice } from "@firehose-backfill/core/cbor/event-slice";
import { cutText } from "@firehose-backfill/core/cut-text";
import { aboutEvent, deadEntry, MAX_DEAD_PAYLOAD_BYTES } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry, FirehoseEvent } from "@firehose-backfill/core/event";
import { encodeMessage, messageBytes } from "./message-codec.ts";
import type { QueueLimits } from "./types.ts";

export type PackLimits = Pick<QueueLimits, "maxMessageBytes">;

/** The bytes of a message besides its events: the body, the key, heads, the attribute's name. */
export const ENVELOPE_BYTES = 1024;
const MAX_SHOWN_CHARS = 512;

/** Encodes the events, because only compression shows whether they fit. */
export function fitsAlone(events: EventSlice, limits: PackLimits): boolean {
  const key = { runId: "", generation: 0, window: 0, fence: 0, number: 0 };
  const message = encodeMessage({ key, dueMs: 0, paceVersion: 0, events });
  return messageBytes(message) + ENVELOPE_BYTES <= limits.maxMessageBytes;
}

export function tooLarge(event: FirehoseEvent, bytes: number, { maxMessageBytes }: PackLimits): DeadEntry {
  const about = aboutEvent(event);
  // Of a record in a range the key is needed whole: what is not named is deleted. Its length is bounded.
  const path = about.path === null || event.seq === 0 ? about.path : cutText(about.path, MAX_SHOWN_CHARS);
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
    case "link":
      return toBytes(event.rev);
    case "record":
    case "range":
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
