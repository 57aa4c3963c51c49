import { readFile } from "node:fs/promises";
import { CarReader } from "@ipld/car";
import { decode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { expect, test } from "vitest";
import { cidAt, contentAt, eventsIn, mapFrame, seqOf, textAt } from "@firehose-backfill/embedded/relay-frame";
import { splitFrames } from "@firehose-backfill/embedded/relay-log";
import { resealedLog } from "./relay-reseal.ts";
import { timeMsOf } from "../../../embedded/src/relay-time.ts";

const RECORDING = splitFrames(await readFile(new URL("../../../../test/fixtures/mixed-frames.bin", import.meta.url)));
const FIRST_TIME_MS = Date.UTC(2029, 3, 1);
const make = (overrides: Partial<Parameters<typeof resealedLog>[0]> = {}) =>
  resealedLog({ frames: RECORDING, copies: 3, seed: "a", firstTimeMs: FIRST_TIME_MS, ...overrides });
const all = (log: ReturnType<typeof make>) => [...log.after(0)].map(({ frame }) => frame);

const didOf = (frame: Uint8Array) => {
  const { fields } = mapFrame(frame);
  const span = fields.get("repo") ?? fields.get("did");
  return span === undefined ? "" : textAt(frame, span);
};

const tidMs = (tid: string) =>
  Array.from(tid.slice(0, 11)).reduce(
    (micros, char) => micros * 32 + "234567abcdefghijklmnopqrstuvwxyz".indexOf(char),
    0,
  ) / 1000;

test("every hash holds: blocks, root, commit field; the signed block names the account and the revision", async () => {
  let commits = 0;
  for (const frame of all(make())) {
    const { kind, fields } = mapFrame(frame);
    const blocks = fields.get("blocks");
    if (blocks === undefined) continue;
    commits += 1;
    const car = await CarReader.fromBytes(contentAt(frame, blocks));
    const [root] = await car.getRoots();
    if (root === undefined) throw new Error("no root");
    for await (const { cid, bytes } of car.blocks()) {
      expect(CID.createV1(cid.code, await sha256.digest(bytes)).equals(cid)).toBe(true);
    }
    const block = await car.get(root);
    const rev = fields.get("rev");
    if (block === undefined || rev === undefined) throw new Error("no commit");
    expect(decode(block.bytes)).toMatchObject({ did: didOf(frame), rev: textAt(frame, rev), version: 3 });
    const commit = fields.get("commit");
    const named = commit === undefined ? null : cidAt(frame, commit);
    expect(named === null ? "none" : CID.decode(named).toString()).toBe(kind === "#sync" ? "none" : root.toString());
  }
  expect(commits).toBeGreaterThan(400);
});

test("copies have accounts of their own; within one an account stays one account", () => {
  const frames = all(make());
  const recorded = RECORDING.map(didOf);
  const copies = [0, 1, 2].map((copy) =>
    frames.slice(copy * RECORDING.length, (copy + 1) * RECORDING.length).map(didOf),
  );
  const distinct = new Set(recorded).size;
  expect(new Set([...recorded, ...copies.flat()]).size).toBe(4 * distinct);
  for (const dids of copies) {
    expect(dids.every((did) => /^did:plc:[a-z2-7]{24}$/.test(did))).toBe(true);
    expect(new Set(dids.map((did, i) => `${did} ${recorded[i]}`)).size).toBe(distinct);
  }
});

test("seq, time and rev go on; gaps and pace are the recording's", () => {
  const frames = all(make({ firstSeq: 2 ** 40 }));
  const seqs = frames.map((frame) => seqOf(frame) ?? 0);
  expect(seqs[0]).toBe(2 ** 40);
  expect(seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] ?? 0))).toBe(true);
  const recordedSeqs = RECORDING.map((frame) => seqOf(frame) ?? 0);
  expect((seqs[50] ?? 0) - (seqs[49] ?? 0)).toBe((recordedSeqs[50] ?? 0) - (recordedSeqs[49] ?? 0));
  const times = frames.map((frame) => timeMsOf(frame) ?? 0);
  expect(times[0]).toBe(FIRST_TIME_MS);
  expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0))).toBe(true);
  const revs = frames.flatMap((frame) => {
    const span = mapFrame(frame).fields.get("rev");
    return span === undefined ? [] : [textAt(frame, span)];
  });
  expect(revs.every((rev) => /^[2-7a-z]{13}$/.test(rev))).toBe(true);
  const half = revs.length / 3;
  expect((revs[half] ?? "") > (revs[half - 1] ?? "")).toBe(true);
  // A revision is a time too, and moves with the frame's.
  const drifts = frames.flatMap((frame) => {
    const span = mapFrame(frame).fields.get("rev");
    return span === undefined ? [] : [Math.abs(tidMs(textAt(frame, span)) - (timeMsOf(frame) ?? 0))];
  });
  expect(Math.max(...drifts)).toBeLessThan(1000);
});

test("the same options give the same bytes, another seed other accounts", () => {
  const [first, second, other] = [all(make()), all(make()), all(make({ seed: "b" }))];
  expect(first.every((frame, i) => Buffer.from(frame).equals(second[i] ?? Buffer.of()))).toBe(true);
  expect(first.some((frame, i) => didOf(frame) === didOf(other[i] ?? frame))).toBe(false);
});

test("says what it holds, and goes on from any cursor", () => {
  const log = make();
  const frames = all(log);
  expect(frames).toHaveLength(log.frames);
  expect(frames.reduce((sum, frame) => sum + eventsIn(frame), 0)).toBe(log.events);
  expect(log.events).toBe(900);
  const seqs = frames.map((frame) => seqOf(frame) ?? 0);
  expect([log.oldestSeq, log.headSeq]).toEqual([seqs[0], seqs.at(-1)]);
  for (const index of [0, 1, 171, 172, 300, 515]) {
    const rest = [...log.after(seqs[index] ?? 0)].map(({ seq }) => seq);
    expect(rest).toEqual(seqs.slice(index + 1));
  }
});

test("refuses what it cannot repeat", () => {
  expect(() => make({ frames: [] })).toThrow(RangeError);
  expect(() => make({ firstSeq: 5 })).toThrow(RangeError);
  expect(() => make({ frames: [Buffer.from("a1626f7020a1656572726f726178", "hex")] })).toThrow(RangeError);
});
