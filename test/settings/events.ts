/** Events for tests of settings. */
import { cidOf } from "@firehose-backfill/core/cid";
import type { RecordEvent } from "@firehose-backfill/core/event";
import { encode } from "@ipld/dag-cbor";

export function deleteEvent(seq: number): RecordEvent {
  return {
    kind: "record",
    action: "delete",
    seq,
    timeMs: Date.UTC(2026, 0, 1) + seq,
    did: `did:plc:account${seq}`,
    collection: "app.bsky.feed.like",
    rkey: `key${seq}`,
    rev: `3l${String(seq).padStart(11, "0")}`,
    cid: null,
    record: null,
  };
}

/** Sound in itself, but its bytes do not have the hash that the commit says. */
export function forgedEvent(seq: number): RecordEvent {
  const record = encode({ $type: "app.bsky.feed.like", text: "one" });
  return { ...deleteEvent(seq), action: "create", record, cid: cidOf(encode({ text: "another" })) };
}
