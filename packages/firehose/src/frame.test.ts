import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, it } from "vitest";
import { readFrame } from "./frame.ts";
import { MAX_FRAME_BYTES } from "./frame-types.ts";
import {
  car,
  cidOf,
  commitBlock,
  commitFrame,
  DID,
  errorFrame,
  frame,
  infoFrame,
  markerFrame,
  timeOf,
} from "@firehose-backfill/testing/firehose/frames";

const payloadOf = (extra: Record<string, unknown> = {}) => {
  const root = commitBlock();
  const blocks = car(cidOf(root), [[cidOf(root), root]]);
  const time = "2026-01-01T00:00:07.000Z";
  return { seq: 7, repo: DID, rev: "3l3qwxyz222aa", time, since: null, commit: cidOf(root), blocks, ops: [], ...extra };
};
const commit = (extra: Record<string, unknown>) => readFrame(frame({ op: 1, t: "#commit" }, payloadOf(extra)));
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const HEADER = frame({ op: 1, t: "#commit" }, null).subarray(0, -1);

describe("kinds of frames", () => {
  it("reads a commit as offsets", () => {
    const bytes = commitFrame({
      seq: 7,
      ops: [{ path: "a.b.c/d" }, { action: "delete", path: "a.b.c/e", record: null }],
    });
    const read = readFrame(bytes);
    expect(read).toMatchObject({
      kind: "commit",
      seq: 7,
      timeMs: timeOf(7),
      did: DID,
      rev: "3l3qwxyz222aa",
      fault: null,
    });
    if (read.kind !== "commit") throw new Error(read.kind);
    const textAt = (start: number, end: number): string => bytes.toString("utf8", start, end);
    expect(
      read.ops.map(({ action, pathStart, slash, pathEnd }) => [
        action,
        textAt(pathStart, slash),
        textAt(slash + 1, pathEnd),
      ]),
    ).toEqual([
      ["create", "a.b.c", "d"],
      ["delete", "a.b.c", "e"],
    ]);
    expect(dagCbor.decode(bytes.subarray(read.ops[1]?.start, read.ops[1]?.end))).toMatchObject({
      path: "a.b.c/e",
      cid: null,
    });
  });

  it("takes bytes that are no Buffer", () => {
    const bytes = commitFrame({ seq: 7 });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readFrame(shifted.subarray(3))).toMatchObject({ kind: "commit", seq: 7 });
  });

  it.each([
    ["#sync", { kind: "sync", rev: "3l3qwxyz222aa" }],
    ["#identity", { kind: "identity", handle: "alice.example" }],
    ["#account", { kind: "account", active: true, status: null }],
  ] as const)("reads %s", (type, expected) => {
    expect(readFrame(markerFrame(type, 9))).toMatchObject({
      seq: 9,
      did: DID,
      timeMs: timeOf(9),
      fault: null,
      ...expected,
    });
  });

  it("reads what a marker may leave out or add", () => {
    expect(readFrame(markerFrame("#identity", 9, { handle: null }))).toMatchObject({ handle: null, fault: null });
    const account = markerFrame("#account", 9, { active: false, status: "takendown", later: { a: [1, 1.5] } });
    expect(readFrame(account)).toMatchObject({ active: false, status: "takendown", fault: null });
  });

  it("reads #info and error frames, which have no seq", () => {
    expect(readFrame(infoFrame("OutdatedCursor"))).toMatchObject({ kind: "info", name: "OutdatedCursor" });
    expect(readFrame(errorFrame("FutureCursor"))).toMatchObject({ kind: "error", error: "FutureCursor" });
    expect(readFrame(frame({ op: -1 }, { error: "X" }))).toEqual({ kind: "error", error: "X", message: "" });
  });

  it.each([
    [
      { op: 1, t: "#migrate" },
      { seq: 5, time: "2026-01-01T00:00:05.000Z" },
      { type: "#migrate", seq: 5, timeMs: timeOf(5) },
    ],
    [{ op: 2, t: "#commit" }, { seq: 5 }, { type: "op 2", seq: 5 }],
    [{ op: 1 }, { seq: 5 }, { type: "t missing", seq: 5 }],
    [{ t: "#commit" }, { seq: 5 }, { type: "op missing", seq: 5 }],
    [{ op: -2 }, { seq: 5 }, { type: "op missing", seq: 5 }],
    [{ op: 1, t: "#new" }, { seq: "5" }, { type: "#new", seq: null }],
    [{ op: 1, t: "#new" }, { seq: 0 }, { type: "#new", seq: null }],
    [{ op: 1, t: "#new" }, ["seq", 5], { type: "#new", seq: null }],
  ])("lets %j pass", (header, payload, expected) => {
    expect(readFrame(frame(header, payload))).toMatchObject({ kind: "unknown", ...expected });
  });

  it("knows a message by its header's meaning, not by its bytes", () => {
    expect(readFrame(frame({ op: 1, t: "#commit", later: [1] }, payloadOf()))).toMatchObject({
      kind: "commit",
      seq: 7,
    });
  });
});

describe("broken frames", () => {
  const whole = commitFrame({ seq: 7 });
  it.each([
    ["empty", Buffer.alloc(0), "truncated"],
    ["one item", HEADER, "one item instead of two"],
    ["three items", Buffer.concat([whole, hex("f6")]), "more than two items"],
    ["cut short", whole.subarray(0, -1), "truncated"],
    ["a payload that is no map", Buffer.concat([HEADER, hex("80")]), "not-a-map"],
    ["a header that is no map", hex("01 a0"), "not-a-map"],
    ["an indefinite map", Buffer.concat([HEADER, hex("bf 63736571 07 ff")]), "indefinite-length"],
    ["a reserved head", Buffer.concat([HEADER, hex("bc")]), "reserved"],
    ["a length that is not minimal", Buffer.concat([HEADER, hex("a1 7803736571 07")]), "non-minimal"],
    ["a seq that is not minimal", Buffer.concat([HEADER, hex("a1 63736571 1807")]), "non-minimal"],
    ["keys out of order", Buffer.concat([HEADER, hex("a2 63736571 07 63726576 6161")]), "key-order"],
    ["a shorter key after a longer one", Buffer.concat([HEADER, hex("a2 63736571 07 6161 01")]), "key-order"],
    ["a key twice", Buffer.concat([HEADER, hex("a2 63736571 07 63736571 07")]), "duplicate-key"],
    ["a key that is no text", Buffer.concat([HEADER, hex("a1 01 01")]), "key-type"],
    ["an unknown field with a bad tag", Buffer.concat([HEADER, hex("a1 6161 c001")]), "bad-tag"],
    ["an unknown field with bad UTF-8", Buffer.concat([HEADER, hex("a1 6161 61ff")]), "invalid-utf8"],
    ["a DID with bad UTF-8", Buffer.concat([HEADER, hex("a1 647265706f 61ff")]), "invalid-utf8"],
    ["a map that claims 2^32 entries", Buffer.concat([HEADER, hex("bb 0000000100000000")]), "truncated"],
    ["a seq above 2^53", Buffer.concat([HEADER, hex("a1 63736571 1b 0020000000000000")]), "integer-range"],
    ["too deep", Buffer.concat([HEADER, hex("a1 6161"), Buffer.alloc(40, 0x81), hex("01")]), "depth"],
    ["a commit that is no CID", frame({ op: 1, t: "#commit" }, payloadOf({ commit: "x" })), "bad-cid"],
  ])("%s", (_, bytes, reason) => {
    expect(readFrame(bytes)).toEqual({ kind: "broken", reason });
  });

  it.each([
    ["missing", {}],
    ["zero", { seq: 0 }],
    ["negative", { seq: -1 }],
    ["text", { seq: "7" }],
  ])("a seq that is %s: nothing could be resumed after it", (_, seq) => {
    const { seq: _seven, ...rest } = payloadOf();
    for (const type of ["#commit", "#sync", "#identity", "#account"]) {
      const read = readFrame(frame({ op: 1, t: type }, { ...rest, did: DID, active: true, ...seq }));
      expect(read).toEqual({ kind: "broken", reason: "seq is missing or not a positive integer" });
    }
  });

  it("one above 5 MB", () => {
    expect(readFrame(Buffer.alloc(MAX_FRAME_BYTES + 1))).toMatchObject({ kind: "broken" });
  });
});

describe("faults of a whole frame", () => {
  const ops = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ action: "delete", path: `a.b.c/${n}`, cid: null }));
  it.each([
    ["201 operations", { ops: ops(201) }, "too-many-ops"],
    ["blocks above 2 MB", { blocks: new Uint8Array(2_000_001) }, "blocks-too-large"],
    ["no blocks", { blocks: null }, "bad-field"],
    ["ops that are no array", { ops: {} }, "bad-field"],
    ["no commit", { commit: null }, "bad-field"],
    ["a repo that is no text", { repo: 1 }, "bad-field"],
    ["a repo that is no DID", { repo: "alice.example" }, "bad-did"],
    ["a rev that is no TID", { rev: "3l3qwxyz222a!" }, "bad-rev"],
    ["a time that is none", { time: "yesterday" }, "bad-time"],
    ["no time", { time: null }, "bad-time"],
  ])("%s", (_, extra, reason) => {
    const read = commit(extra);
    expect(read).toMatchObject({ kind: "commit", seq: 7, fault: { reason } });
  });

  it("are none at the limits", () => {
    expect(commit({ ops: ops(200), blocks: new Uint8Array(2_000_000) })).toMatchObject({ fault: null });
  });

  it("#sync blocks above 10 KB", () => {
    expect(readFrame(markerFrame("#sync", 9, { blocks: new Uint8Array(10_001) }))).toMatchObject({
      kind: "sync",
      fault: { reason: "blocks-too-large" },
    });
  });

  it("#account without a boolean", () => {
    expect(readFrame(markerFrame("#account", 9, { active: "yes" }))).toMatchObject({ fault: { reason: "bad-field" } });
  });
});
