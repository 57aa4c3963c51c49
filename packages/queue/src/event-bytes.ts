/** How many bytes an event takes in a message, without encoding it. Never less than it really takes. */
import type { FirehoseEvent } from "@firehose-backfill/core/event";

/** An array's head, the kind, and two numbers of at most nine bytes. */
const COMMON = 1 + 1 + 9 + 9;
/** The longest head of a text or a byte string that fits into a message. */
const HEAD = 5;

export function eventBytes(event: FirehoseEvent): number {
  const { kind } = event;
  const common = COMMON + textBytes(event.did);
  switch (kind) {
    case "record":
      return (
        common +
        1 +
        textBytes(event.collection) +
        textBytes(event.rkey) +
        textBytes(event.rev) +
        byteBytes(event.cid) +
        byteBytes(event.record)
      );
    case "account":
      return common + 1 + textBytes(event.status);
    case "identity":
      return common + textBytes(event.handle);
    case "sync":
      return common + textBytes(event.rev);
    case "dead":
      return (
        common + textBytes(event.path) + textBytes(event.reason) + textBytes(event.error) + byteBytes(event.payload)
      );
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

function textBytes(text: string | null): number {
  return text === null ? 1 : HEAD + Buffer.byteLength(text);
}

function byteBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : HEAD + bytes.length;
}
