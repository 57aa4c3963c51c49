/** How much memory events keep. */
import type { FirehoseEvent } from "@firehose-backfill/core/event";

/** Bytes that a window keeps for these events: records, keys and payloads. */
export function sizeOf(events: readonly FirehoseEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += event.did?.length ?? 0;
    if (event.kind === "record") {
      bytes += event.collection.length + event.rkey.length + event.rev.length;
      bytes += (event.cid?.length ?? 0) + (event.record?.length ?? 0);
    } else if (event.kind === "dead") bytes += event.payload.length + event.error.length + (event.path?.length ?? 0);
  }
  return bytes;
}
