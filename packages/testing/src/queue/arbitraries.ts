/** Any event and any batch, for property tests. Apart from batches.ts, because fast-check takes long to load. */
import type { Batch } from "@firehose-backfill/core/batch";
import type { FirehoseEvent, RangeEvent } from "@firehose-backfill/core/event";
import type { RangeMember } from "@firehose-backfill/core/proved-range";
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

const nameChars = fc.constantFrom("a", "b", "-", ".", "7");
const rkeyChars = fc.constantFrom("a", "b", "-", ".", "7", "~", "_");
const rkey = fc.string({ unit: rkeyChars, minLength: 1, maxLength: 8 });

/** A range of a repository with what belongs to it, as a source makes it. */
export const anyRange: fc.Arbitrary<readonly [RangeEvent, ...RangeMember[]]> = fc
  .record({
    did: fc.string({ unit: nameChars, minLength: 1, maxLength: 20 }).map((it) => `did:plc:${it}`),
    collection: fc.string({ unit: nameChars, minLength: 1, maxLength: 10 }),
    rev: fc.string({ unit: nameChars, minLength: 13, maxLength: 13 }),
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    sinceTid: fc.option(fc.constant("3jt7ryzvqkk2s")),
    rkeys: fc.uniqueArray(rkey, { maxLength: 8 }),
    members: fc.array(
      fc.record({
        isDead: fc.boolean(),
        cid: fc.uint8Array({ minLength: 36, maxLength: 36 }),
        record: bytes,
        timeMs: fc.integer({ min: 0, max: 4e12 }),
      }),
      { minLength: 8, maxLength: 8 },
    ),
    isBetween: fc.boolean(),
  })
  .map(({ did, collection, rev, timeMs, sinceTid, rkeys, members, isBetween }) => {
    const keys = rkeys.toSorted((a, b) => (a < b ? -1 : 1));
    const named = keys.flatMap((key, index) => {
      const member = members[index];
      return member === undefined ? [] : [{ key, ...member }];
    });
    const events = named.map(({ key, isDead, cid, record, timeMs: madeMs }): RangeMember => {
      const at = { seq: 0, timeMs: madeMs, did };
      if (isDead) {
        const path = `${collection}/${key}`;
        return { kind: "dead", ...at, path, reason: "bad-key", error: "its key cannot be read", payload: record };
      }
      return { kind: "record", ...at, action: "create", collection, rkey: key, rev, cid, record };
    });
    const isEmptyBetween = isBetween && events.length === 0;
    const range: RangeEvent = {
      kind: "range",
      seq: 0,
      timeMs,
      did,
      rev,
      sinceTid,
      collection: isEmptyBetween ? null : collection,
      from: isEmptyBetween ? "" : `${collection}/`,
      to: `${collection}0`,
      records: events.length,
    };
    return [range, ...events];
  });

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

/** As a reader of repositories sends it: at least one range, and perhaps what is dead on arrival beside them. */
export const anyRangeBatch: fc.Arbitrary<Batch> = fc
  .record({
    batch: anyBatch,
    ranges: fc.array(anyRange, { minLength: 1, maxLength: 5 }),
    others: fc.array(anyEvent, { maxLength: 3 }),
  })
  .map(({ batch, ranges, others }) => ({ ...batch, events: [...others, ...ranges.flat()] }));
