/** BACKFILL_VERIFY=inversion on the frames of a real PDS: each commit passes, and each that says too little or too much is set aside. */
import { includesLevel, VERIFY_LEVELS } from "@firehose-backfill/core/config/settings";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { invertCommit } from "@firehose-backfill/repos/invert-commit";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import * as dagCbor from "@ipld/dag-cbor";
import { expect, test } from "vitest";
import { pdsFrames } from "./support/recordings.ts";

interface Payload {
  readonly ops: readonly Readonly<Record<string, unknown>>[];
}

const HEADER = Buffer.from(dagCbor.encode({ op: 1, t: "#commit" }));
const commits = pdsFrames()
  .map((bytes) => Buffer.from(bytes))
  .filter((bytes) => readFrame(bytes).kind === "commit");
const withOps = commits.filter((bytes) => payloadOf(bytes).ops.length > 0);

function payloadOf(bytes: Buffer): Payload {
  return dagCbor.decode<Payload>(bytes.subarray(HEADER.length));
}

function verified(bytes: Buffer, collections: readonly string[] = []) {
  const frame = readFrame(bytes);
  if (frame.kind !== "commit") throw new Error(`${frame.kind} instead of a commit`);
  const filter = compileFilter({ collections, dids: [] });
  return extracted(frame, { filter, verify: "inversion", isAhead: () => false, invertCommit });
}

const reasonsOf = (bytes: Buffer, collections?: readonly string[]) =>
  verified(bytes, collections).events.flatMap((event) =>
    event.kind === "dead" ? [`${event.reason}: ${event.error}`] : [],
  );

/** The same frame with other operations; the archive stays. */
function altered(bytes: Buffer, change: (ops: Payload["ops"]) => Payload["ops"]): Buffer {
  const payload = payloadOf(bytes);
  return Buffer.concat([HEADER, dagCbor.encode({ ...payload, ops: change(payload.ops) })]);
}

test("issue 16.3: every commit of a real PDS is undone to the tree before it", () => {
  expect(commits.length).toBeGreaterThanOrEqual(600);
  expect(commits.flatMap((bytes) => reasonsOf(bytes))).toEqual([]);
});

test("issue 16.3: an operation that was left out is noticed, also where the filter lets none through", () => {
  expect(withOps.length).toBeGreaterThan(500);
  for (const bytes of withOps.slice(0, 300)) {
    const fewer = altered(bytes, (ops) => ops.slice(1));
    const { received, events, skippedCollection } = verified(fewer, ["com.example.none"]);
    expect(events).toMatchObject([{ kind: "dead", reason: "inversion-failed" }, { kind: "link" }]);
    expect(received).toBe(skippedCollection + events.length);
    expect(reasonsOf(fewer).every((reason) => reason.startsWith("inversion-failed"))).toBe(true);
  }
});

test("issue 16.3: an operation without what was there before is set aside, and so is a commit without prevData", () => {
  const update = withOps.find((bytes) => payloadOf(bytes).ops.every(({ action }) => action === "update"));
  if (update === undefined) throw new Error("no update was recorded");
  const silent = altered(update, (ops) => ops.map(({ action, path, cid }) => ({ action, path, cid })));
  expect(reasonsOf(silent)[0]).toContain("does not say what was there before");
  const { prevData: _, ...payload } = dagCbor.decode<Record<string, unknown>>(update.subarray(HEADER.length));
  expect(reasonsOf(Buffer.concat([HEADER, dagCbor.encode(payload)]))[0]).toContain("prevData");
});

test("a level includes those before it", () => {
  expect(VERIFY_LEVELS.filter((level) => includesLevel("hash", level))).toEqual(["structure", "hash"]);
});
