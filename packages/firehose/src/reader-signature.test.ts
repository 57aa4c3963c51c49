import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { systemClock } from "@firehose-backfill/core/clock";
import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, it } from "vitest";
import { KeyServiceError, type ResolveKey } from "@firehose-backfill/core/did-resolver";
import type { CurveName, PublicKey } from "@firehose-backfill/core/signature";
import {
  commitBlock,
  commitFrame,
  DID,
  markerFrame,
  type TestCommit,
  timeOf,
} from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader } from "@firehose-backfill/testing/firehose/reading";
import { serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";

const ORDERS: Readonly<Record<CurveName, bigint>> = {
  k256: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
};

interface Signer {
  readonly key: PublicKey;
  readonly sign: (message: Uint8Array) => Buffer;
}

function signer(kind: CurveName): Signer {
  const namedCurve = kind === "k256" ? "secp256k1" : "prime256v1";
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
  return { key: { kind, bytes: compressed(publicKey) }, sign: (message) => lowS(kind, message, privateKey) };
}

function compressed(publicKey: KeyObject): Uint8Array {
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-64);
  return Uint8Array.from([2 + ((point[63] ?? 0) & 1), ...point.subarray(0, 32)]);
}

function lowS(kind: CurveName, message: Uint8Array, key: KeyObject): Buffer {
  const signature = sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  const low = s > ORDERS[kind] / 2n ? ORDERS[kind] - s : s;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, "0"), "hex")]);
}

function signed(by: Signer, options: TestCommit): { seq: number; bytes: Buffer } {
  const { sig: _, ...unsigned } = dagCbor.decode<Record<string, unknown>>(commitBlock({ did: options.did ?? DID }));
  return { seq: options.seq, bytes: commitFrame({ ...options, commit: { sig: by.sign(dagCbor.encode(unsigned)) } }) };
}

const alice = signer("k256");
const bob = signer("p256");
const BOB = "did:web:bob.example.com";
const keys: ResolveKey = async (did) => (did === DID ? alice.key : did === BOB ? bob.key : null);
const reasons = (events: readonly { kind: string; reason?: string }[]) =>
  events.map(({ kind, reason }) => reason ?? kind);
const withoutLinks = (words: readonly string[]) => words.filter((word) => word !== "link");

describe("verify: signature", () => {
  it("needs somebody who resolves keys", () => {
    expect(() => openReader({ url: "ws://127.0.0.1:1", verify: "signature" })).toThrow(/resolveKey/);
  });

  it("sets aside what is not signed by the account, operation by operation", async () => {
    const ops = [{}, { action: "delete", record: null }];
    const frames = [
      signed(alice, { seq: 1 }),
      signed(bob, { seq: 2, did: BOB }),
      signed(bob, { seq: 3, ops }),
      signed(alice, { seq: 4, did: "did:plc:unknown" }),
      { seq: 5, bytes: commitFrame({ seq: 5, commit: { sig: new Uint8Array(3) } }) },
      { seq: 6, bytes: markerFrame("#account", 6) },
      { seq: 7, bytes: markerFrame("#sync", 7) },
      signed(alice, { seq: 8 }),
    ];
    await using relay = await startRelay({ onConnect: serve(frames) });
    await using reader = openReader({ url: relay.url, verify: "signature", resolveKey: keys });
    const window = await reader.readWindow(AMPLE, never());
    const bad = "bad-signature";
    const said = reasons(window.events);
    expect(withoutLinks(said)).toEqual(["record", "record", bad, bad, "no-key", bad, "account", bad, "record"]);
    // issue 16.1: the level includes `chain`; a commit that is not signed has no link.
    expect(said.filter((word) => word === "link").length).toBe(3);
    expect(window.events.filter(({ kind }) => kind !== "link")[2]).toMatchObject({
      seq: 3,
      did: DID,
      timeMs: timeOf(3),
      path: "app.bsky.feed.post/3k3-0",
    });
    expect(window).toMatchObject({ received: 9 + 3, to: { seq: 8 } });
  });

  it("looks a key up again that does not fit: it may have been rotated", async () => {
    const asked: unknown[] = [];
    const resolveKey: ResolveKey = async (did, options) => {
      asked.push([did, options?.forceRefresh]);
      return options?.forceRefresh === true ? alice.key : bob.key;
    };
    await using relay = await startRelay({ onConnect: serve([signed(alice, { seq: 1 })]) });
    await using reader = openReader({ url: relay.url, verify: "signature", resolveKey });
    expect(reasons((await reader.readWindow(AMPLE, never())).events)).toEqual(["record", "link"]);
    expect(asked).toEqual([
      [DID, false],
      [DID, true],
    ]);
  });

  it("hands on nothing while keys cannot be looked up, and reads it again", async () => {
    let isDown = true;
    const resolveKey: ResolveKey = async (did) => {
      if (isDown) throw new KeyServiceError("plc.directory: HTTP 500");
      return await keys(did);
    };
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 60), signal),
    };
    await using relay = await startRelay({ onConnect: serve([1, 2, 3].map((seq) => signed(alice, { seq }))) });
    // On a loaded machine 20 ms between idle and quiet are too few: a look of the quiet proof would be a visit, too.
    const timings = { quietMs: 5_000 };
    await using reader = openReader({ url: relay.url, verify: "signature", resolveKey, clock, timings });
    const failed = await reader.readWindow(AMPLE, never());
    expect(failed).toMatchObject({ endedBecause: "unreachable", to: null, events: [], received: 0, hostSeen: false });
    expect(failed.detail).toContain("HTTP 500");
    isDown = false;
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ events: { length: 3 + 3 }, from: null, to: { seq: 3 } });
    expect(relay.visits.map(({ cursor }) => cursor)).toEqual(["0", "0"]);
  });

  it("stops when told to, and hands on nothing unverified", async () => {
    const stop = new AbortController();
    const resolveKey: ResolveKey = async (did) => {
      stop.abort();
      return await keys(did);
    };
    const frames = Array.from({ length: 40 }, (_, index) => signed(alice, { seq: index + 1 }));
    await using relay = await startRelay({ onConnect: serve(frames) });
    await using reader = openReader({ url: relay.url, verify: "signature", resolveKey });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 40 }, stop.signal);
    expect(window).toMatchObject({ endedBecause: "aborted", to: null, events: [] });
  });
});
