import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { readFrame } from "./frame.ts";
import { extracted, type Extracted } from "@firehose-backfill/testing/firehose/extracted";
import {
  BASE_TIME_MS,
  car,
  cidOf,
  commitBlock,
  commitFrame,
  DID,
  markerFrame,
  type TestCommit,
  type TestOp,
  tidOf,
} from "@firehose-backfill/testing/firehose/frames";

interface Scope {
  readonly collections?: readonly string[];
  readonly dids?: readonly string[];
  readonly verify?: VerifyLevel;
  readonly latestMs?: number;
}

function extract(bytes: Buffer, scope: Scope = {}): Extracted {
  const { collections = [], dids = [], verify = "hash", latestMs = Number.POSITIVE_INFINITY } = scope;
  const read = readFrame(bytes);
  if (read.kind === "broken" || read.kind === "unknown" || read.kind === "info" || read.kind === "error") {
    throw new Error(JSON.stringify(read));
  }
  return extracted(read, {
    filter: compileFilter({ collections, dids }),
    verify,
    isAhead: (momentMs) => momentMs > latestMs,
  });
}

const ofOp = (op: TestOp, scope?: Scope) => extract(commitFrame({ seq: 7, ops: [op] }), scope);
const reasons = ({ events }: Extracted) => events.map((event) => (event.kind === "dead" ? event.reason : event.kind));

describe("operations of a commit", () => {
  it("become records with their bytes and CIDs", () => {
    const record = { $type: "app.bsky.feed.post", text: "hello" };
    const { events, received } = extract(
      commitFrame({
        seq: 7,
        ops: [
          { path: "app.bsky.feed.post/a", record },
          { action: "update", path: "app.bsky.actor.profile/self", record },
          { action: "delete", path: "app.bsky.feed.like/b", record: null },
        ],
      }),
    );
    const block = dagCbor.encode(record);
    const base = { kind: "record", seq: 7, did: DID, rev: "3l3qwxyz222aa" };
    const content = { record: Uint8Array.from(block), cid: Uint8Array.from(cidOf(block).bytes) };
    expect(received).toBe(3);
    expect(events).toEqual([
      expect.objectContaining({ ...base, action: "create", collection: "app.bsky.feed.post", rkey: "a", ...content }),
      expect.objectContaining({
        ...base,
        action: "update",
        collection: "app.bsky.actor.profile",
        rkey: "self",
        ...content,
      }),
      expect.objectContaining({ ...base, action: "delete", rkey: "b", cid: null, record: null }),
    ]);
  });

  it("with the same content share a block", () => {
    const record = { same: true };
    const ops = [
      { path: "a.b.c/1", record },
      { path: "a.b.c/2", record },
    ];
    expect(reasons(extract(commitFrame({ seq: 7, ops })))).toEqual(["record", "record"]);
  });

  it("may be none", () => {
    expect(extract(commitFrame({ seq: 7, ops: [] }))).toMatchObject({ received: 0, events: [] });
  });

  it.each<[string, TestOp, string]>([
    ["a missing block", { isMissing: true }, "missing-block"],
    ["a path without a slash", { path: "app.bsky.feed.post" }, "bad-path"],
    ["a path with two", { path: "app.bsky.feed.post/a/b" }, "bad-path"],
    ["a collection that is no NSID", { path: "posts/a" }, "bad-path"],
    ["a record key that is none", { path: "app.bsky.feed.post/.." }, "bad-path"],
    ["a record key with U+0000", { path: "app.bsky.feed.post/a\u0000" }, "bad-path"],
    ["an unknown action", { action: "rename" }, "unknown-action"],
    ["a create without a CID", { record: null }, "missing-cid"],
    ["a record above 1,000,000 bytes", { record: { a: new Uint8Array(1_000_001) } }, "record-too-large"],
  ])("%s is dead, the others live", (_, op, reason) => {
    const { events, received } = extract(commitFrame({ seq: 7, ops: [{ path: "a.b.c/1" }, op, { path: "a.b.c/2" }] }));
    expect(received).toBe(3);
    expect(events.map(({ kind }) => kind)).toEqual(["record", "dead", "record"]);
    expect(events[1]).toMatchObject({ reason, seq: 7, did: DID });
  });

  it("keep what is known of the dead", () => {
    const record = { a: new Uint8Array(1_000_001) };
    const [large] = ofOp({ path: "a.b.c/d", record }).events;
    const [missing] = ofOp({ path: "a.b.c/d", isMissing: true }).events;
    if (large?.kind !== "dead" || missing?.kind !== "dead") throw new Error("not dead");
    expect(large.payload).toEqual(Uint8Array.from(dagCbor.encode(record).subarray(0, 16_384)));
    expect(dagCbor.decode(missing.payload)).toMatchObject({ path: "a.b.c/d", action: "create" });
    expect(missing.path).toBe("a.b.c/d");
  });
});

describe("the filter", () => {
  const ops = [{ path: "app.bsky.feed.post/a" }, { path: "app.bsky.feed.like/b" }, { path: "app.bsky.graph.follow/c" }];
  it("skips by collection", () => {
    const result = extract(commitFrame({ seq: 7, ops }), { collections: ["app.bsky.feed.*"] });
    expect(result).toMatchObject({ received: 3, skippedCollection: 1, skippedDid: 0 });
    expect(reasons(result)).toEqual(["record", "record"]);
  });

  it("skips by DID, before anything else", () => {
    const result = extract(commitFrame({ seq: 7, ops, rev: "nonsense" }), { dids: ["did:plc:other"] });
    expect(result).toMatchObject({ received: 3, skippedCollection: 0, skippedDid: 3, events: [] });
  });

  it("lets markers of any collection pass, but not of any DID", () => {
    for (const type of ["#identity", "#account", "#sync"] as const) {
      expect(reasons(extract(markerFrame(type, 9), { collections: ["a.b.c"] }))).toEqual([type.slice(1)]);
      expect(extract(markerFrame(type, 9), { dids: ["did:plc:other"] })).toMatchObject({
        received: 1,
        skippedDid: 1,
        events: [],
      });
    }
  });

  it("also holds for what would be dead", () => {
    const skipped = { received: 1, skippedCollection: 1, events: [] };
    expect(ofOp({ path: "a.b.c/d", isMissing: true }, { collections: ["x.y.z"] })).toMatchObject(skipped);
    expect(extract(commitFrame({ seq: 7, rev: "nonsense" }), { collections: ["x.y.z"] })).toMatchObject(skipped);
  });
});

describe("what is wrong with a frame as a whole", () => {
  const many = Array.from({ length: 201 }, (_, n) => ({ action: "delete", path: `a.b.c/${n}`, record: null }));
  it.each<[string, Omit<TestCommit, "seq">, string]>([
    ["201 operations", { ops: many }, "too-many-ops"],
    ["blocks above 2 MB", { payload: { blocks: new Uint8Array(2_000_001) } }, "blocks-too-large"],
    ["a bad rev", { rev: "3l3qwxyz222a!" }, "bad-rev"],
  ])("%s: one dead event", (_, options, reason) => {
    const bytes = commitFrame({ seq: 7, ...options });
    const { events, received } = extract(bytes);
    expect(received).toBe(1);
    expect(events).toEqual([expect.objectContaining({ kind: "dead", reason, did: DID, path: null, seq: 7 })]);
    const [event] = events;
    expect(event?.kind === "dead" && event.payload).toEqual(Uint8Array.from(bytes.subarray(0, 16_384)));
  });

  it.each<[string, Omit<TestCommit, "seq">, string]>([
    ["an archive that is none", { payload: { blocks: Buffer.from("nonsense") } }, "bad-car"],
    ["another root than the commit", { payload: { commit: cidOf(Buffer.from("other")) } }, "commit-mismatch"],
    ["another DID in the commit", { commit: { did: "did:plc:other" } }, "commit-mismatch"],
    ["another rev in the commit", { commit: { rev: "3l3qwxyz222bb" } }, "commit-mismatch"],
    ["another version", { commit: { version: 2 } }, "commit-mismatch"],
    ["an unsigned commit", { commit: { sig: undefined } }, "bad-commit"],
  ])("%s: each operation dead", (_, options, reason) => {
    const commit = Object.entries(options.commit ?? {}).filter(([, value]) => value !== undefined);
    const ops = [{ path: "a.b.c/1" }, { action: "delete", path: "a.b.c/2", record: null }];
    const bytes = options.commit && commit.length === 0 ? unsigned(ops) : commitFrame({ seq: 7, ops, ...options });
    const result = extract(bytes);
    expect(reasons(result)).toEqual([reason, reason]);
    expect(result.received).toBe(2);
  });

  it("a commit block that does not hash to its CID", () => {
    const [block, other] = [commitBlock(), commitBlock({ rev: "3l3qwxyz222bb" })];
    const blocks = car(cidOf(block), [[cidOf(block), other]]);
    const bytes = commitFrame({ seq: 7, ops: [{ action: "delete", record: null }], payload: { blocks } });
    expect(reasons(extract(bytes))).toEqual(["commit-hash"]);
    expect(reasons(extract(bytes, { verify: "structure" }))).toEqual(["record"]);
  });

  it("a commit block that is missing", () => {
    const blocks = car(cidOf(commitBlock()), []);
    expect(reasons(extract(commitFrame({ seq: 7, payload: { blocks } })))).toEqual(["missing-commit"]);
    expect(reasons(extract(markerFrame("#sync", 9, { blocks })))).toEqual(["missing-commit"]);
  });

  it("a #sync that does not say what its commit says", () => {
    const bytes = markerFrame("#sync", 9, { rev: "3l3qwxyz222bb" });
    expect(reasons(extract(bytes))).toEqual(["commit-mismatch"]);
    expect(reasons(extract(bytes, { verify: "structure" }))).toEqual(["sync"]);
  });

  it("a rev more than five minutes ahead", () => {
    const bytes = commitFrame({ seq: 7, rev: tidOf(BASE_TIME_MS), ops: [{ action: "delete", record: null }] });
    const at = (latestMs: number) => reasons(extract(bytes, { latestMs, verify: "structure" }));
    expect(at(BASE_TIME_MS - 299_000)).toEqual(["record"]);
    expect(at(BASE_TIME_MS - 301_000)).toEqual(["rev-in-future"]);
  });
});

describe("verify: signature", () => {
  it("sets apart what the signature covers", () => {
    const sig = Uint8Array.from({ length: 64 }, (_, n) => n);
    const bytes = commitFrame({ seq: 7, commit: { sig } });
    const { signed } = extract(bytes, { verify: "signature" });
    const { sig: _, ...rest } = dagCbor.decode<Record<string, unknown>>(commitBlock({ sig }));
    expect(signed).toEqual({ did: DID, signature: sig, unsigned: Uint8Array.from(dagCbor.encode(rest)) });
    expect(extract(bytes, { verify: "hash" }).signed).toBeNull();
  });

  it("asks for nothing where nothing depends on it", () => {
    expect(ofOp({ isMissing: true }, { verify: "signature" }).signed).toBeNull();
    expect(ofOp({}, { verify: "signature", collections: ["x.y.z"] }).signed).toBeNull();
    expect(extract(markerFrame("#account", 9), { verify: "signature" }).signed).toBeNull();
  });
});

/** A commit frame whose commit block has no signature. */
function unsigned(ops: readonly TestOp[]): Buffer {
  const { sig: _, ...rest } = dagCbor.decode<Record<string, unknown>>(commitBlock());
  const block = dagCbor.encode(rest);
  return commitFrame({
    seq: 7,
    ops,
    payload: { commit: cidOf(block), blocks: car(cidOf(block), [[cidOf(block), block]]) },
  });
}
