import { cidOf } from "@firehose-backfill/core/cid";
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { newSigner } from "../../../test/support/sign.ts";
import { BadRepoError } from "./errors.ts";
import { readSignedCommit, verifyCommit } from "./signed-commit.ts";
import { ALICE, signCommit, tidOf } from "@firehose-backfill/testing/repos/test-repo";

const NOW_MS = Date.UTC(2026, 10, 28);
const DATA = cidOf(Buffer.from("tree"));
const signer = newSigner("p256");
const REV = tidOf(NOW_MS);

const read = (block: Uint8Array, did = ALICE) => readSignedCommit(block, { did, cid: cidOf(block), nowMs: NOW_MS });

function refusal(block: Uint8Array, did?: string): [string, string] {
  try {
    read(block, did);
  } catch (error) {
    if (error instanceof BadRepoError) return [error.reason, error.message];
    throw error;
  }
  return ["read", ""];
}

describe("a signed commit", () => {
  it.each(["k256", "p256"] as const)("is read and verified, %s", (kind) => {
    const own = newSigner(kind);
    const commit = read(signCommit({ did: ALICE, rev: REV, data: DATA }, own));
    expect(commit).toMatchObject({ did: ALICE, rev: REV });
    expect(Buffer.from(commit.data)).toEqual(Buffer.from(DATA));
    expect(() => verifyCommit(commit, own.key)).not.toThrow();
  });

  it("is refused with another key, or changed after it was signed", () => {
    const commit = read(signCommit({ did: ALICE, rev: REV, data: DATA }, signer));
    expect(() => verifyCommit(commit, newSigner("p256").key)).toThrow(
      expect.objectContaining({ reason: "bad-signature" }),
    );
    const changed = Uint8Array.from(commit.unsigned);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect(() => verifyCommit({ ...commit, unsigned: changed }, signer.key)).toThrow(BadRepoError);
  });

  it("may be five minutes ahead of the clock, not more", () => {
    const ahead = (ms: number) => signCommit({ did: ALICE, rev: tidOf(NOW_MS + ms), data: DATA }, signer);
    expect(read(ahead(300_000)).rev).toBe(tidOf(NOW_MS + 300_000));
    expect(refusal(ahead(300_001))).toEqual(["rev-in-future", expect.stringContaining("5 minutes")]);
  });

  it("of another account is named as that", () => {
    const other = "did:web:other.example.com";
    expect(refusal(signCommit({ did: other, rev: REV, data: DATA }, signer))).toEqual([
      "wrong-repo",
      `the commit is of ${other}, not of ${ALICE}`,
    ]);
  });

  const fields = { did: ALICE, rev: REV, data: CID.decode(DATA), prev: null, version: 3, sig: new Uint8Array(64) };
  it.each<[string, unknown, string]>([
    ["version 2", { ...fields, version: 2 }, "version is 2"],
    ["a rev that is no TID", { ...fields, rev: "zzzzzzzzzzzzz" }, "not a TID"],
    ["no DID", { ...fields, did: "alice" }, "not name a DID"],
    ["no tree", { did: ALICE, rev: REV, prev: null, version: 3, sig: new Uint8Array(64) }, "names no tree"],
    ["no signature", { did: ALICE, rev: REV, data: CID.decode(DATA), prev: null, version: 3 }, "not signed"],
    ["a record", { $type: "app.bsky.feed.post", text: "" }, "names no tree"],
    ["an array", [1], "not a commit"],
  ])("with %s is refused", (_, value, message) => {
    expect(refusal(encode(value))).toEqual(["bad-commit", expect.stringContaining(message)]);
  });

  it("that is not its CID's block is refused", () => {
    const block = signCommit({ did: ALICE, rev: REV, data: DATA }, signer);
    expect(() => readSignedCommit(block, { did: ALICE, cid: DATA, nowMs: NOW_MS })).toThrow(
      expect.objectContaining({ reason: "hash-mismatch" }),
    );
  });
});
