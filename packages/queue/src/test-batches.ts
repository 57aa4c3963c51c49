/** Events and batches for tests: plain ones by hand, and fast-check's arbitrary ones. */
import type { Batch, BatchKey } from "@firehose-backfill/core/batch";
import type { FirehoseEvent, RecordEvent } from "@firehose-backfill/core/event";
import fc from "fast-check";

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
    key: { runId: "run-01JGFJJZ00", epoch: 1, window: 1, fence: 1, number: 0, ...key },
    dueMs: Date.UTC(2026, 0, 1),
    paceEpoch: 1,
    events,
  };
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

const text = fc.string({ unit: "binary", maxLength: 40 });
const textOrNull = fc.option(text);
const bytes = fc.uint8Array({ maxLength: 300 });
const base = { seq: fc.maxSafeNat(), timeMs: fc.integer({ min: -1, max: 4e12 }), did: text };

export const anyEvent: fc.Arbitrary<FirehoseEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("record" as const),
    ...base,
    action: fc.constantFrom("create" as const, "update" as const, "delete" as const),
    collection: text,
    rkey: text,
    rev: text,
    cid: fc.option(fc.uint8Array({ minLength: 36, maxLength: 36 })),
    record: fc.option(bytes),
  }),
  fc.record({ kind: fc.constant("account" as const), ...base, active: fc.boolean(), status: textOrNull }),
  fc.record({ kind: fc.constant("identity" as const), ...base, handle: textOrNull }),
  fc.record({ kind: fc.constant("sync" as const), ...base, rev: text }),
  fc.record({
    kind: fc.constant("dead" as const),
    ...base,
    did: textOrNull,
    path: textOrNull,
    reason: text,
    error: text,
    payload: bytes,
  }),
);

export const anyBatch: fc.Arbitrary<Batch> = fc.record({
  key: fc.record({
    runId: text,
    epoch: fc.nat(),
    window: fc.nat(),
    fence: fc.maxSafeNat(),
    number: fc.nat(),
  }),
  dueMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.double({ min: 0, max: 4e12, noNaN: true })),
  paceEpoch: fc.nat(),
  events: fc.array(anyEvent, { maxLength: 30 }),
});
