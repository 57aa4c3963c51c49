/** Any event and any batch, for property tests. Apart from batches.ts, because fast-check takes long to load. */
import type { Batch } from "@firehose-backfill/core/batch";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import fc from "fast-check";

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
    generation: fc.nat(),
    window: fc.nat(),
    fence: fc.maxSafeNat(),
    number: fc.nat(),
  }),
  dueMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.double({ min: 0, max: 4e12, noNaN: true })),
  paceVersion: fc.nat(),
  events: fc.array(anyEvent, { maxLength: 30 }),
});
