/**
 * Makes dead entries: what cannot be applied, with the reason. Reader, queue, consumer and sink all make theirs here, so
 * each of them is cut to the same lengths. Their texts and bytes come from strangers and have no limit of their own. An
 * entry without `event` takes less than 32 KiB when it is encoded, so it fits into every message (packages/queue/src/pack.ts).
 */
import { cutText } from "./cut-text.ts";
import type { DeadEntry, FirehoseEvent } from "./event.ts";

/** The reason of what the level `inversion` refuses: the consumer then asks for the repository to be read anew. */
export const INVERSION_FAILED = "inversion-failed";
/** A longer DID is against the syntax of atproto; it is left out. */
const MAX_DID_CHARS = 2_048;
/** The longest key of a repository that atproto allows. A valid path is never cut, because a record is known by its path. */
export const MAX_DEAD_PATH_CHARS = 1_024;
export const MAX_DEAD_ERROR_CHARS = 1_000;
export const MAX_DEAD_PAYLOAD_BYTES = 16 * 1024;

/** The payload is copied, so that an entry never keeps the frame or the message that it points into. */
export function deadEntry(fields: Omit<DeadEntry, "kind">): DeadEntry {
  const { did, path, error, payload } = fields;
  return {
    kind: "dead",
    ...fields,
    did: did === null || did.length > MAX_DID_CHARS ? null : did,
    path: path === null ? null : cutText(path, MAX_DEAD_PATH_CHARS),
    error: cutText(error, MAX_DEAD_ERROR_CHARS),
    payload: new Uint8Array(payload.subarray(0, MAX_DEAD_PAYLOAD_BYTES)),
  };
}

/** What a dead entry says of an event that was read whole: where it stood, whose it was, and a record's path and bytes. */
export function aboutEvent(event: FirehoseEvent): Pick<DeadEntry, "seq" | "timeMs" | "did" | "path" | "payload"> {
  const { seq, timeMs, did } = event;
  switch (event.kind) {
    case "record":
      return { seq, timeMs, did, path: `${event.collection}/${event.rkey}`, payload: event.record ?? NOTHING };
    case "dead":
      return { seq, timeMs, did, path: event.path, payload: event.payload };
    case "account":
    case "identity":
    case "sync":
    case "link":
    case "range":
      return { seq, timeMs, did, path: null, payload: NOTHING };
    default: {
      const unreachable: never = event;
      return unreachable;
    }
  }
}

const NOTHING = new Uint8Array(0);
