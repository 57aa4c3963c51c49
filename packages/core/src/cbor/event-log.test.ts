import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidOf } from "../cid.ts";
import type { FirehoseEvent, RecordEvent } from "../event.ts";
import { encodeMessage } from "./encode.ts";
import { layOutEvent } from "./event-layout.ts";
import { EventLog, type RecordPlaces } from "./event-log.ts";

const ascii = (options: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom("a", "b", "c", "7", ".", ":", "-", "_"), ...options });
const numbers = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 33, Number.MAX_SAFE_INTEGER),
);
const anyRecord: fc.Arbitrary<RecordEvent> = fc
  .record({
    kind: fc.constant("record" as const),
    seq: numbers,
    timeMs: fc.oneof(numbers, fc.double({ min: 0, max: 1e13, noNaN: true })),
    did: ascii({ minLength: 8, maxLength: 300 }),
    action: fc.constantFrom("create" as const, "update" as const, "delete" as const),
    collection: ascii({ minLength: 5, maxLength: 60 }),
    rkey: ascii({ minLength: 1, maxLength: 60 }),
    rev: ascii({ minLength: 13, maxLength: 13 }),
    cid: fc.uint8Array({ minLength: 36, maxLength: 36 }),
    record: fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 65_000, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
    ),
  })
  .map((event) => (event.action === "delete" ? { ...event, cid: null, record: null } : event));

/** The event as it is in a frame: its parts one after the other, with other bytes in between. */
function placesOf(event: RecordEvent): RecordPlaces {
  const parts: Buffer[] = [];
  let length = 0;
  const place = (part: string | Uint8Array): readonly [number, number] => {
    const bytes = Buffer.concat([Buffer.from("\0\0\0"), Buffer.from(part)]);
    parts.push(bytes);
    length += bytes.length;
    return [length - bytes.length + 3, length];
  };
  const { seq, timeMs, action } = event;
  const [didStart, didEnd] = place(event.did);
  const [revStart, revEnd] = place(event.rev);
  const [pathStart, pathEnd] = place(`${event.collection}/${event.rkey}`);
  const slash = pathStart + event.collection.length;
  const [cid] = event.cid === null ? [-1] : place(event.cid);
  const [recordStart, recordEnd] = event.record === null ? [-1, -1] : place(event.record);
  const bytes = Buffer.concat(parts);
  const texts = { didStart, didEnd, revStart, revEnd, pathStart, slash, pathEnd };
  return { bytes, seq, timeMs, action, ...texts, cid, recordStart, recordEnd };
}

const bytesOf = (log: EventLog): Buffer => {
  const bytes = Buffer.alloc(log.byteLength);
  log.slice().copyTo(bytes, 0);
  return bytes;
};

const record = (seq: number, size = 10): RecordEvent => ({
  kind: "record",
  seq,
  timeMs: seq,
  did: "did:plc:a",
  action: "create",
  collection: "a.b.c",
  rkey: "k",
  rev: "3jt7ryzvqkk2s",
  cid: new Uint8Array(36).fill(seq),
  record: new Uint8Array(size).fill(seq),
});
const marker = (seq: number): FirehoseEvent => ({ kind: "sync", seq, timeMs: seq, did: "did:plc:a", rev: "r" });

describe("what is appended", () => {
  it("lies there byte for byte as a message lays it out, made of an object or out of a frame", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), (events) => {
        const places = new EventLog();
        for (const event of events) places.appendRecord(placesOf(event));
        const expected = Buffer.concat(events.map((event) => encodeMessage(layOutEvent(event))));
        expect(bytesOf(EventLog.of(events)).equals(expected)).toBe(true);
        expect(bytesOf(places).equals(expected)).toBe(true);
        expect([...places]).toEqual(events);
        for (const [index, event] of events.entries()) {
          expect(places.recordAt(index)).toEqual(event.record);
          expect(places.seqAt(index)).toBe(event.seq);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("comes back whatever its time is, also out of a frame", () => {
    const log = new EventLog();
    const times = [-1, -4e12, -0.5, 1.5];
    for (const timeMs of times) log.appendRecord(placesOf({ ...record(1), timeMs }));
    expect(Array.from(log, ({ timeMs }) => timeMs)).toEqual(times);
  });

  it("comes back in memory of its own, of whatever kind it is", () => {
    const log = EventLog.of([record(1), marker(2)]);
    const first = log.at(0);
    log.recordAt(0)?.fill(0);
    expect(first).toEqual(record(1));
    expect(log.at(1)).toEqual(marker(2));
    expect(log.recordAt(1)).toBeNull();
    expect(log.seqAt(1)).toBe(2);
  });

  it("is compared with the hash that its CID names", () => {
    const block = Buffer.from("a record, or so");
    const log = EventLog.of([{ ...record(1), record: block, cid: cidOf(block) }, record(2), marker(3)]);
    expect(log.hashMatchesAt(0, log.recordAt(0) ?? block)).toBe(true);
    expect(log.hashMatchesAt(0, block.subarray(1))).toBe(false);
    expect(log.hashMatchesAt(1, record(2).record ?? block)).toBe(false);
    expect(log.hashMatchesAt(2, block)).toBe(false);
  });

  it("may be taken back", () => {
    const log = EventLog.of([record(1), record(2), marker(3)]);
    const { byteLength } = EventLog.of([record(1)]);
    log.truncate(1);
    expect([log.length, log.byteLength]).toEqual([1, byteLength]);
    log.append(marker(4));
    expect([...log]).toEqual([record(1), marker(4)]);
  });

  it("may be exchanged", () => {
    const log = EventLog.of([record(1), record(2, 5_000), record(3)]);
    expect([...log.replacing(new Map([[1, marker(2)]]))]).toEqual([record(1), marker(2), record(3)]);
    expect([...log]).toEqual([record(1), record(2, 5_000), record(3)]);
  });
});

describe("issue 15.3: a range of a repository", () => {
  const range = (records: number): FirehoseEvent => ({
    kind: "range",
    seq: 0,
    timeMs: 5,
    did: "did:plc:a",
    rev: "3jt7ryzvqkk2s",
    collection: "a.b.c",
    from: "a.b.c/",
    to: "a.b.c0",
    sinceTid: null,
    records,
  });

  it("counts by its records, and as one event where it has none", () => {
    const events = [marker(1), range(2), record(0), record(0), range(0), range(0), record(3)];
    const log = EventLog.of(events);
    expect([...log]).toEqual(events);
    const counted = (start: number, end: number) => log.slice(start, end).counted;
    expect(counted(0, 7)).toBe(6);
    expect([counted(1, 4), counted(4, 6), counted(0, 1), counted(2, 4), counted(3, 3)]).toEqual([2, 2, 1, 2, 0]);
    expect([log.slice(0, 1), log.slice(1, 4), log.slice(4, 5), log.slice(6)].map((slice) => slice.hasRanges)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("is forgotten with the events that are taken back", () => {
    const log = EventLog.of([marker(1), range(0), range(1), record(0)]);
    log.truncate(2);
    expect([log.slice().counted, log.slice().hasRanges]).toEqual([2, true]);
    log.truncate(1);
    log.append(record(2));
    expect([log.slice().counted, log.slice().hasRanges]).toEqual([2, false]);
  });
});

it("grows as far as it must, and nothing in it moves", () => {
  const events = Array.from({ length: 60 }, (_, seq) => record(seq, 20_000));
  const log = EventLog.of(events);
  expect(log.byteLength).toBeGreaterThan(1_200_000);
  expect([...log]).toEqual(events);
});

it("a slice knows its events, their bytes, and no others", () => {
  const log = EventLog.of([marker(1), record(2), record(3), marker(4)]);
  const slice = log.slice(1, 3);
  expect([slice.length, slice.byteLength]).toEqual([2, log.bytesOf(1, 3)]);
  expect([...slice]).toEqual([record(2), record(3)]);
  expect([slice.seqAt(0), slice.seqAt(1)]).toEqual([2, 3]);
  const target = new Uint8Array(slice.byteLength + 4).fill(9);
  slice.copyTo(target, 2);
  expect(Buffer.from(target.subarray(2, -2)).equals(bytesOf(EventLog.of([record(2), record(3)])))).toBe(true);
  expect([target.at(1), target.at(-2)]).toEqual([9, 9]);
  expect(log.slice(2, 2).byteLength).toBe(0);
});

describe("renewed", () => {
  it("its memory is the next log's, and what is left of it says so", () => {
    const spent = EventLog.of([record(1)]);
    const slice = spent.slice();
    const memory = spent.recordAt(0)?.buffer;
    const next = spent.renew();
    next.append(record(2));
    expect(next.recordAt(0)?.buffer).toBe(memory);
    expect([...next]).toEqual([record(2)]);
    expect(spent.length).toBe(0);
    expect(() => spent.at(0)).toThrow(RangeError);
    expect(() => [...slice]).toThrow(RangeError);
    expect(() => slice.copyTo(new Uint8Array(1_000), 0)).toThrow(RangeError);
    expect([...EventLog.of([]).renew().renew()]).toEqual([]);
  });

  it("after an uncommonly large window, its memory is let go", () => {
    const large = EventLog.of(Array.from({ length: 11 }, (_, seq) => record(seq, 900_000)));
    const memory = large.recordAt(0)?.buffer;
    const next = large.renew();
    next.append(record(1));
    expect(next.recordAt(0)?.buffer).not.toBe(memory);
  });

  it("renewing what is spent makes a log like any other", () => {
    const spent = EventLog.of([record(1)]);
    spent.renew();
    const next = spent.renew();
    next.append(record(2));
    expect([...next]).toEqual([record(2)]);
  });
});
