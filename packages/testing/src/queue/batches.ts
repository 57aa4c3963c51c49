/** Events and batches for tests. */
import type { Batch, BatchKey, LoggedBatch } from "@firehose-backfill/core/batch";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent, RangeEvent, RecordEvent } from "@firehose-backfill/core/event";

const DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";

export function recordEvent(seq: number, overrides: Partial<RecordEvent> = {}): RecordEvent {
  return {
    kind: "record",
    seq,
    timeMs: Date.UTC(2026, 0, 1) + seq,
    did: DID,
    action: "create",
    collection: "app.bsky.feed.post",
    rkey: "3jt7ryzvq2c2s",
    rev: "3jt7ryzvqkk2s",
    cid: new Uint8Array(36).fill(7),
    record: new Uint8Array(200).fill(seq % 256),
    ...overrides,
  };
}

/** A range of a repository, and its records by their keys: `app.bsky.feed.post/a`, ... */
export function rangeEvents(
  rkeys: readonly string[],
  overrides: Partial<RangeEvent> = {},
  ofRecords: Partial<RecordEvent> = {},
): readonly [RangeEvent, ...RecordEvent[]] {
  const range: RangeEvent = {
    kind: "range",
    seq: 0,
    timeMs: Date.UTC(2026, 0, 1),
    did: DID,
    rev: "3jt7ryzvqkk2s",
    collection: "app.bsky.feed.post",
    from: "app.bsky.feed.post/",
    to: "app.bsky.feed.post0",
    sinceTid: null,
    records: rkeys.length,
    ...overrides,
  };
  const { did, rev } = range;
  return [range, ...rkeys.map((rkey) => recordEvent(0, { did, rev, rkey, ...ofRecords }))];
}

/** One of each kind. */
export function mixedEvents(seq: number): readonly FirehoseEvent[] {
  const at = { seq, timeMs: Date.UTC(2026, 0, 1), did: DID };
  return [
    recordEvent(seq),
    recordEvent(seq, { action: "update" }),
    recordEvent(seq, { action: "delete", cid: null, record: null }),
    { kind: "account", ...at, active: false, status: "deactivated" },
    { kind: "account", ...at, active: true, status: null },
    { kind: "identity", ...at, handle: "jay.bsky.team" },
    { kind: "identity", ...at, handle: null },
    { kind: "sync", ...at, rev: "3jt7ryzvqkk2s" },
    {
      kind: "dead",
      ...at,
      path: null,
      reason: "bad-frame",
      error: "\u{1F98B}\u0000\uFFFE",
      payload: new Uint8Array([1, 2, 3]),
    },
  ];
}

export function batchOf(events: readonly FirehoseEvent[], key: Partial<BatchKey> = {}): Batch {
  return {
    key: { runId: "run-01JGFJJZ00", generation: 1, window: 1, fence: 1, number: 0, ...key },
    dueMs: Date.UTC(2026, 0, 1),
    paceVersion: 1,
    events,
  };
}

/** The same batch as a reader would send it. */
export function logged(batch: Batch): LoggedBatch {
  return { ...batch, events: EventLog.of(batch.events).slice() };
}

/** `bytes` that nothing can make smaller, the same ones for the same seed. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const result = new Uint8Array(bytes);
  let state = seed;
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    result[index] = state >>> 24;
  }
  return result;
}
