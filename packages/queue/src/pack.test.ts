import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent, RangeEvent } from "@firehose-backfill/core/event";
import { countedEvents, groupEvents, keyOf, type RangeMember } from "@firehose-backfill/core/proved-range";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage, messageBytes } from "./message-codec.ts";
import { packBatches as packLog } from "./pack.ts";
import { anyEvent, anyRange } from "@firehose-backfill/testing/queue/arbitraries";
import { batchOf, logged, noise, rangeEvents, recordEvent } from "@firehose-backfill/testing/queue/batches";

const limits = { maxMessageBytes: 64 * 1024 };
const encodedBytes = (events: readonly FirehoseEvent[]) => messageBytes(encodeMessage(logged(batchOf(events))));
const packBatches = (events: readonly FirehoseEvent[], options: Parameters<typeof packLog>[1]) =>
  packLog(EventLog.of(events), options).map((batch) => [...batch]);

const isTooLarge = (event: FirehoseEvent | undefined) => event?.kind === "dead" && event.reason === "too-large";

/** Some are larger than a message even when packed, some only unpacked, most neither. */
const mixedSizes = fc.oneof(
  { weight: 8, arbitrary: anyEvent },
  {
    weight: 2,
    arbitrary: fc
      .record({ bytes: fc.integer({ min: 10_000, max: 100_000 }), noisy: fc.boolean(), seq: fc.nat() })
      .map(({ bytes, noisy, seq }) => recordEvent(seq, { record: noisy ? noise(bytes, seq) : new Uint8Array(bytes) })),
  },
);

test("nothing is lost, nothing moves, every message fits", () => {
  fc.assert(
    fc.property(fc.array(mixedSizes, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (events, batchSize) => {
      const batches = packBatches(events, { batchSize, limits });
      const packed = batches.flat();
      expect(packed.length).toBe(events.length);
      const tooLarge = packed
        .map((event, index) => ({ event, original: events[index] }))
        .filter(({ event }) => isTooLarge(event));
      expect(packed.filter((event) => !isTooLarge(event))).toEqual(events.filter((_, n) => !isTooLarge(packed[n])));
      for (const { event, original } of tooLarge) {
        expect(event).toMatchObject({ seq: original?.seq, timeMs: original?.timeMs });
        expect(original === undefined ? 0 : encodedBytes([original])).toBeGreaterThan(limits.maxMessageBytes - 1024);
      }
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(batchSize);
        expect(encodedBytes(batch)).toBeLessThanOrEqual(limits.maxMessageBytes);
      }
    }),
    { numRuns: 60 },
  );
});

test("small events fill batches to the brim", () => {
  const events = Array.from({ length: 12 }, (_, seq) => recordEvent(seq));
  const batches = packBatches(events, { batchSize: 5, limits });
  expect(batches.map((batch) => batch.length)).toEqual([5, 5, 2]);
  expect(packBatches([], { batchSize: 5, limits })).toEqual([]);
});

test("large ones share a message until it is full", () => {
  const events = Array.from({ length: 6 }, (_, seq) => recordEvent(seq, { record: noise(25_000, seq) }));
  expect(packBatches(events, { batchSize: 100, limits }).map((batch) => batch.length)).toEqual([2, 2, 2]);
});

test("one that fits only when compressed travels alone, in its order", () => {
  const large = recordEvent(2, { record: new Uint8Array(500_000) });
  const batches = packBatches([recordEvent(1), large, recordEvent(3)], { batchSize: 10, limits });
  expect(batches.map((batch) => batch.map((event) => event.seq))).toEqual([[1], [2], [3]]);
  expect(batches[1]?.[0]).toEqual(large);
});

describe("an event that cannot fit", () => {
  const packOne = (event: FirehoseEvent) => {
    const [batch] = packBatches([recordEvent(1), event, recordEvent(9)], { batchSize: 10, limits });
    expect(batch?.map(({ seq }) => seq)).toEqual([1, event.seq, 9]);
    const dead = batch?.[1];
    if (dead?.kind !== "dead") throw new Error(`it is ${dead?.kind}`);
    expect(decodeMessage(encodeMessage(logged(batchOf([dead]))))).toMatchObject({ kind: "batch" });
    return dead;
  };

  test("becomes a dead entry with its key, its size and its beginning", () => {
    const record = noise(900_000);
    const dead = packOne(recordEvent(5, { record }));
    expect(dead).toMatchObject({
      reason: "too-large",
      path: "app.bsky.feed.post/3jt7ryzvq2c2s",
      did: recordEvent(5).did,
    });
    expect(dead.error).toMatch(/app\.bsky\.feed\.post\/3jt7ryzvq2c2s takes 900\d{3} bytes/);
    expect(dead.payload).toEqual(record.subarray(0, 16_384));
    expect(dead.payload.buffer.byteLength).toBe(16_384);
  });

  test("becomes a dead entry whatever it is", () => {
    const long = noise(200_000).reduce((text, byte) => text + String.fromCodePoint(0x10_000 + byte), "a");
    const at = { seq: 5, timeMs: 0, did: "did:web:example.com" };
    expect(packOne({ kind: "identity", ...at, handle: long }).payload.length).toBe(16_384);
    expect(packOne({ kind: "account", ...at, active: true, status: long }).error).toMatch(/^account of did:web/);
    expect(packOne({ kind: "sync", ...at, rev: long }).path).toBe(null);
    expect(packOne({ kind: "sync", ...at, did: long, rev: "" }).did).toBe(null);
    expect(packOne(recordEvent(5, { rkey: long })).path?.length).toBeLessThan(600);
    const dead = {
      kind: "dead",
      ...at,
      path: long,
      reason: "bad-frame",
      error: long,
      payload: noise(100_000),
    } as const;
    expect(packOne(dead).payload.length).toBe(16_384);
  });

  test("a limit that is too small for that is refused", () => {
    expect(() => packBatches([], { batchSize: 1, limits: { maxMessageBytes: 10_000 } })).toThrow(RangeError);
  });
});

test("the largest a network record can be is still decoded after compression", () => {
  const batches = packBatches([recordEvent(1, { record: new Uint8Array(5_000_000) })], { batchSize: 5, limits });
  const message = encodeMessage(logged(batchOf(batches[0] ?? [])));
  expect(decodeMessage(message)).toMatchObject({ kind: "batch", batch: { events: [{ kind: "record", seq: 1 }] } });
});

describe("issue 15.3: ranges of repositories", () => {
  /** Of records that are larger than a message, fit only when they are packed, or neither. */
  const anySizes = fc
    .tuple(anyRange, fc.array(fc.tuple(fc.integer({ min: 0, max: 90_000 }), fc.boolean()), { maxLength: 8 }))
    .map(([[range, ...members], sizes]): readonly FirehoseEvent[] => [
      range,
      ...members.map((member, index): RangeMember => {
        const [bytes, noisy] = sizes[index] ?? [0, false];
        const body = noisy ? noise(bytes, bytes) : new Uint8Array(bytes);
        if (bytes < 5_000) return member;
        return member.kind === "record" ? { ...member, record: body } : { ...member, payload: body };
      }),
    ]);

  /** What a batch says of every key: who is there, at which revision, and where nothing else is. */
  function said(events: readonly FirehoseEvent[]) {
    return [...groupEvents(events)].map((group) => {
      if (group.kind === "single") return group;
      const { records: _, ...range } = group.range;
      return { range, keys: group.members.map(keyOf) };
    });
  }

  /** Ranges that touch each other and are of one repository and revision, as one. */
  function joined(groups: ReturnType<typeof said>) {
    const result: ReturnType<typeof said> = [];
    for (const group of groups) {
      const last = result.at(-1);
      if (last !== undefined && "range" in last && "range" in group && isContinued(last.range, group.range))
        result[result.length - 1] = {
          range: { ...last.range, to: group.range.to },
          keys: [...last.keys, ...group.keys],
        };
      else result.push(group);
    }
    return result;
  }
  const isContinued = (a: Omit<RangeEvent, "records">, b: Omit<RangeEvent, "records">) =>
    a.did === b.did && a.rev === b.rev && a.collection === b.collection && a.to === b.from;

  test("nothing is lost and nothing said that was not: ranges are cut at records, and stay with theirs", () => {
    let cuts = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anySizes, anySizes, fc.tuple(mixedSizes)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        (groups, batchSize) => {
          const events = groups.flat();
          const batches = packBatches(events, { batchSize, limits });
          for (const batch of batches) {
            expect(countedEvents(batch)).toBeGreaterThan(0);
            expect(countedEvents(batch)).toBeLessThanOrEqual(batchSize);
            expect(encodedBytes(batch)).toBeLessThanOrEqual(limits.maxMessageBytes);
          }
          const packed = batches.flat();
          const isDead = (event: FirehoseEvent) => event.kind === "dead";
          const cut = batches.flatMap(said);
          if (cut.length > said(events).length) cuts += 1;
          // What is too large is dead in its place; everything else is as it was.
          const comparable = (all: ReturnType<typeof said>) => all.filter((group) => "range" in group);
          expect(comparable(joined(cut))).toEqual(comparable(joined(said(events))));
          expect(packed.filter((event) => event.kind !== "range").length).toBe(
            events.filter((event) => event.kind !== "range").length,
          );
          expect(countedEvents(packed)).toBe(countedEvents(events));
          const live = packed.filter((event) => event.kind !== "range" && !isDead(event));
          expect(events).toEqual(expect.arrayContaining(live));
        },
      ),
      { numRuns: 60 },
    );
    expect(cuts).toBeGreaterThan(5);
  });

  const shape = (batches: readonly (readonly FirehoseEvent[])[]) =>
    batches.map((batch) => batch.map((event) => (event.kind === "range" ? `${event.from}..${event.to}` : event.kind)));
  const [start, end] = ["app.bsky.feed.post/", "app.bsky.feed.post0"];

  test("small ones share a batch; an empty one counts as one event", () => {
    const many = [...rangeEvents(["a", "b"]), ...rangeEvents([]), ...rangeEvents(["c", "d"]), ...rangeEvents([])];
    const sizes = (batchSize: number) => packBatches(many, { batchSize, limits }).map(countedEvents);
    expect([sizes(6), sizes(5), sizes(4), sizes(2)]).toEqual([[6], [5, 1], [3, 3], [2, 1, 2, 1]]);
  });

  test("one that holds more than a batch is cut at its records, and all of its keys stay proved", () => {
    const [range, ...records] = rangeEvents(["a", "b", "c", "d", "e"]);
    expect(shape(packBatches([range, ...records], { batchSize: 2, limits }))).toEqual([
      [`${start}..${start}b`, "record", "record"],
      [`${start}b..${start}d`, "record", "record"],
      [`${start}d..${end}`, "record"],
    ]);
  });

  test("a record that no message holds is dead in its place, under its whole key: it is there, and must not be deleted", () => {
    const rkey = "k".repeat(600);
    const [range, ...records] = rangeEvents(["a", rkey, "z"]);
    const large = records.map((record) => (record.rkey === rkey ? { ...record, record: noise(200_000) } : record));
    const batches = packBatches([range, ...large], { batchSize: 5, limits });
    expect(shape(batches)).toEqual([
      [`${start}..${start}a`, "record", `${start}a..${start}${rkey}`, "dead", `${start}${rkey}..${end}`, "record"],
    ]);
    expect(batches.flat()).toContainEqual(
      expect.objectContaining({ kind: "dead", reason: "too-large", path: `${start}${rkey}`, did: range.did }),
    );
    expect(decodeMessage(encodeMessage(logged(batchOf(batches[0] ?? [])))).kind).toBe("batch");
  });

  test("a record that fits only when it is packed travels with a range of its own", () => {
    const [range, ...records] = rangeEvents(["a", "b", "c"]);
    const large = records.map((it) => (it.rkey === "b" ? { ...it, record: new Uint8Array(500_000) } : it));
    const batches = packBatches([range, ...large], { batchSize: 5, limits });
    expect(shape(batches)).toEqual([
      [`${start}..${start}a`, "record"],
      [`${start}a..${start}b`, "record"],
      [`${start}b..${end}`, "record"],
    ]);
    expect(batches[1]?.[1]).toEqual(large[1]);
  });
});
