import { expect, test } from "vitest";
import type { RecordEvent } from "../event.ts";
import { decodeEvent, encodeEvent, EVENT_VERSION } from "./event-layout.ts";
import { encodeMessage } from "./encode.ts";
import { LayoutError } from "./field-reader.ts";
import { CborError } from "./refusal.ts";

const EVENT: RecordEvent = {
  kind: "record",
  seq: 7,
  timeMs: 1_767_225_600_000.5,
  did: "did:plc:a",
  action: "create",
  collection: "a.b.c",
  rkey: "k",
  rev: "3jt7ryzvqkk2s",
  cid: new Uint8Array(36).fill(1),
  record: new Uint8Array(50_000).fill(2),
};

test("an event that is kept by itself comes back as it was", () => {
  expect(decodeEvent(encodeEvent(EVENT))).toEqual(EVENT);
});

test("of a newer version the hands are kept off; what is no event is refused", () => {
  const bytes = encodeEvent(EVENT);
  expect(decodeEvent(Uint8Array.of(EVENT_VERSION + 1, 0xff))).toBeNull();
  // issue 12.3: the version is known, the kind of event is not.
  const ofKind = (kind: number) =>
    Buffer.concat([Uint8Array.of(EVENT_VERSION), encodeMessage([kind, 1, 2, "did:plc:a"])]);
  expect(decodeEvent(ofKind(8))).toBeNull();
  expect(() => decodeEvent(ofKind(-1))).toThrow(LayoutError);
  expect(() => decodeEvent(bytes.subarray(0, -1))).toThrow(CborError);
  expect(() => decodeEvent(new Uint8Array())).toThrow(CborError);
});

test("issue 15.3: a dead entry holds no range: what is dead of one is a record", () => {
  const range = [5, 0, 5, "did:plc:a", "r", null, "", "b", null, 0];
  const dead = (event: readonly (string | number | null)[]) =>
    Buffer.concat([
      Uint8Array.of(EVENT_VERSION),
      encodeMessage([4, 0, 5, null, null, "why", "x", new Uint8Array(), event]),
    ]);
  expect(decodeEvent(dead([3, 1, 2, "did:plc:a", "r"]))).toMatchObject({ event: { kind: "sync" } });
  expect(() => decodeEvent(dead(range))).toThrow(LayoutError);
});
