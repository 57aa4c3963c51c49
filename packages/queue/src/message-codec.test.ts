import { zstdCompressSync } from "node:zlib";
import { encodeMessage as encodeCbor } from "@firehose-backfill/core/cbor/encode";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage, MAX_PLAIN_BYTES, messageBytes } from "./message-codec.ts";
import { anyBatch, anyRangeBatch } from "@firehose-backfill/testing/queue/arbitraries";
import {
  batchOf,
  logged,
  mixedEvents,
  noise,
  rangeEvents,
  recordEvent,
} from "@firehose-backfill/testing/queue/batches";

const decodePayload = (payload: Uint8Array | null) => decodeMessage({ body: "{}", payload });

/** A payload of version 1 and packing 1, whose length fields may be wrong. */
function packed(plainBytes: number, zstd: Uint8Array, zstdBytes = zstd.length): Uint8Array {
  const head = Buffer.alloc(10);
  head.set([1, 1]);
  head.writeUInt32LE(plainBytes, 2);
  head.writeUInt32LE(zstdBytes, 6);
  return Buffer.concat([head, zstd]);
}

test("every batch comes back as it was", () => {
  fc.assert(
    fc.property(anyBatch, (batch) => {
      expect(decodeMessage(encodeMessage(logged(batch)))).toEqual({ kind: "batch", batch });
    }),
  );
});

test("versions 1 and 2 are read; what version 1 holds is written in it, so that a roll-back can read it", () => {
  const batch = batchOf(mixedEvents(1));
  const redriven = { ...batch, deadEventIds: batch.events.map((_, n) => `00000000-0000-8000-8000-00000000000${n}`) };
  for (const [version, each] of [batch, redriven].entries()) {
    const message = encodeMessage(logged(each));
    expect(message.payload[0]).toBe(version + 1);
    expect(JSON.parse(message.body)).toMatchObject({ version: version + 1 });
    expect(decodeMessage(message)).toEqual({ kind: "batch", batch: each });
  }
});

describe("issue 15.3: ranges of repositories", () => {
  test("a batch that holds any comes back as it was, in a version that an older consumer hides", () => {
    fc.assert(
      fc.property(anyRangeBatch, (batch) => {
        const message = encodeMessage(logged(batch));
        expect(message.payload[0]).toBe(3);
        expect(decodeMessage(message)).toEqual({ kind: "batch", batch });
      }),
    );
  });

  test("the body says for how many events it counts", () => {
    const { body } = encodeMessage(logged(batchOf([...rangeEvents(["a", "b"]), ...rangeEvents([])])));
    expect(JSON.parse(body)).toMatchObject({ version: 3, events: 3 });
  });

  const [range, a, b] = rangeEvents(["a", "b"]);
  const [empty] = rangeEvents([]);
  if (a === undefined || b === undefined) throw new Error("no records");
  test.each([
    ["fewer records than it announces", [range, a]],
    ["a record of another repository", [range, a, { ...b, did: "did:plc:other" }]],
    ["a record of another revision", [range, a, { ...b, rev: "3jt7ryzvqkk2t" }]],
    ["a deletion", [range, a, { ...b, action: "delete" as const, cid: null, record: null }]],
    ["a record twice", [range, a, a]],
    ["records in another order", [range, b, a]],
    ["a record before it", [{ ...range, from: "app.bsky.feed.post/a" }, a, b]],
    ["a record after it", [{ ...range, to: "app.bsky.feed.post/a" }, a, b]],
    ["a range within it", [range, a, empty]],
    ["a dead entry whose key nobody knows", [range, a, ...mixedEvents(0).filter(({ kind }) => kind === "dead")]],
  ])("with %s a range is malformed: applied, it would delete what is there", (_name, events) => {
    expect(decodeMessage(encodeMessage(logged(batchOf(events)))).kind).toBe("malformed");
  });

  test.each([
    ["a range in version 1", 1, rangeEvents([])],
    ["version 3 without a range", 3, [recordEvent(1)]],
  ])("%s is malformed: no such message was ever sent", (_name, version, events) => {
    const { body, payload } = encodeMessage(logged(batchOf(events)));
    payload[0] = version;
    expect(decodeMessage({ body, payload }).kind).toBe("malformed");
  });

  test("a range is never redriven: what was dead of it travels alone", () => {
    const redriven = { ...batchOf(rangeEvents([])), deadEventIds: ["00000000-0000-8000-8000-000000000000"] };
    expect(() => encodeMessage(logged(redriven))).toThrow("never redriven");
  });
});

test("the body is readable, and plain ASCII whatever is in the batch", () => {
  const batch = batchOf(mixedEvents(41), { runId: "run-\uFFFE\u{1F98B}\u007F" });
  const { body } = encodeMessage(logged(batch));
  expect(body).toMatch(/^[ -~]+$/);
  expect(JSON.parse(body)).toEqual({
    version: 1,
    run: batch.key.runId,
    epoch: 1,
    window: 1,
    number: 0,
    due: "2026-01-01T00:00:00.000Z",
    events: 9,
    seq: [41, 41],
  });
});

test("a large batch is packed, a small one and one that does not shrink are not", () => {
  const large = encodeMessage(logged(batchOf([recordEvent(1, { record: new Uint8Array(50_000) })])));
  expect(large.payload[1]).toBe(1);
  expect(large.payload.length).toBeLessThan(1000);
  expect(decodeMessage(large).kind).toBe("batch");
  expect(encodeMessage(logged(batchOf([recordEvent(1)]))).payload[1]).toBe(0);
  expect(encodeMessage(logged(batchOf([recordEvent(1, { record: noise(50_000) })]))).payload[1]).toBe(0);
});

test("text cut in the middle of a pair does not stop the reader", () => {
  const cut = "\u{1F98B}".slice(0, 1);
  const dead = mixedEvents(1).find((event) => event.kind === "dead");
  const batch = batchOf(dead === undefined ? [] : [{ ...dead, error: cut, path: cut }]);
  const decoded = decodeMessage(encodeMessage(logged(batch)));
  expect(decoded).toMatchObject({ kind: "batch", batch: { events: [{ error: "\uFFFD", path: "\uFFFD" }] } });
});

test("what is decoded does not hold on to the message", () => {
  const message = encodeMessage(logged(batchOf([recordEvent(1)])));
  const decoded = decodeMessage(message);
  if (decoded.kind !== "batch") throw new Error(decoded.kind);
  const [event] = decoded.batch.events;
  if (event?.kind !== "record") throw new Error(event?.kind);
  expect(event.record?.buffer).not.toBe(message.payload.buffer);
});

test("size counts body, payload, and the attribute's name and type", () => {
  const message = encodeMessage(logged(batchOf(mixedEvents(1))));
  expect(messageBytes(message)).toBe(Buffer.byteLength(message.body) + message.payload.length + "batchBinary".length);
});

describe("what cannot be read", () => {
  test("a newer version says so, whatever follows", () => {
    expect(decodePayload(new Uint8Array([4, 77, 1, 2]))).toEqual({ kind: "newer-version", version: 4 });
  });

  const [byKind, byAction] = [
    [8, 1, 1, "did:plc:a"],
    [0, 1, 1, "did:plc:a", 3, "a.b.c", "k", "r", null, null],
  ];
  test.each([
    ["a kind of event", byKind],
    ["an action of a record", byAction],
    ["one of them after events that are known", byKind],
  ])("issue 12.3: %s that a newer program knows is not malformed", (name, event) => {
    const known = name.startsWith("one") ? [[3, 1, 1, "did:plc:a", "r"]] : [];
    const cbor = encodeCbor(["run", 1, 1, 1, 0, 0, 1, [...known, event ?? []]]);
    const payload = Buffer.concat([Buffer.from([1, 0]), cbor]);
    expect(decodePayload(payload)).toEqual({ kind: "newer-kind", error: expect.stringMatching(/kind 8|action 3/) });
  });

  test.each([
    ["a kind below the first", [-1, 1, 1, "did:plc:a"]],
    ["a kind that is no number", ["5", 1, 1, "did:plc:a"]],
    ["a known kind with a field too many", [3, 1, 1, "did:plc:a", "r", 1]],
  ])("issue 12.3: %s is malformed", (_name, event) => {
    const cbor = encodeCbor(["run", 1, 1, 1, 0, 0, 1, [event]]);
    expect(decodePayload(Buffer.concat([Buffer.from([1, 0]), cbor])).kind).toBe("malformed");
  });

  const plain = encodeMessage(logged(batchOf(mixedEvents(1)))).payload.subarray(2);
  const bomb = zstdCompressSync(new Uint8Array(MAX_PLAIN_BYTES + 1));
  test.each<[string, Uint8Array | null, RegExp]>([
    ["no attribute", null, /no attribute "batch"/],
    ["nothing", new Uint8Array(), /empty/],
    ["an old version", new Uint8Array([0, 0, 1]), /version 0 is not read/],
    ["an unknown packing", new Uint8Array([1, 9, 1]), /unknown packing 9/],
    ["cut off in the head", packed(1, new Uint8Array()).subarray(0, 7), /cut off/],
    ["cut off", packed(plain.length, zstdCompressSync(plain)).subarray(0, -1), /not as long as it says/],
    ["trailing bytes", Buffer.concat([packed(plain.length, zstdCompressSync(plain)), plain]), /not as long as it says/],
    ["a bomb that is honest", packed(MAX_PLAIN_BYTES + 1, bomb), /more than any batch/],
    ["a bomb that lies", packed(10, bomb), /larger than 10 bytes/],
    ["shorter than it says", packed(plain.length + 1, zstdCompressSync(plain)), /does not unpack to what it says/],
    ["not zstd", packed(10, noise(100)), /./],
    ["not CBOR", new Uint8Array([1, 0, 255, 255]), /./],
    ["trailing CBOR", Buffer.concat([Buffer.from([1, 0]), plain, Buffer.from([0])]), /trailing-bytes/],
    ["another value", new Uint8Array([1, 0, 0x63, 97, 98, 99]), /batch is not an array/],
    [
      "a redrive that does not name its dead events",
      encodeMessage(logged({ ...batchOf(mixedEvents(1)), deadEventIds: ["one"] })).payload,
      /does not name a dead event for each/,
    ],
    ["another array", new Uint8Array([1, 0, 0x81, 0]), /batch has 1 fields, not 8/],
  ])("%s", (_name, payload, error) => {
    expect(decodePayload(payload)).toEqual({ kind: "malformed", error: expect.stringMatching(error) });
  });

  test("no change of a byte makes it throw", () => {
    const { payload } = encodeMessage(logged(batchOf(mixedEvents(1))));
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(255), (index, value) => {
        const damaged = new Uint8Array(payload);
        damaged[index] = value;
        expect(["batch", "malformed", "newer-version", "newer-kind"]).toContain(decodePayload(damaged).kind);
      }),
      { numRuns: 2000 },
    );
  });
});
