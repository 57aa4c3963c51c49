/** Frames for tests, encoded by a library that the package itself does not use. */
import { hash } from "node:crypto";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";

export const DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
export const BASE_TIME_MS = Date.UTC(2026, 0, 1);
const SHA_256 = 0x12;

export interface TestOp {
  readonly action?: string;
  readonly path?: string;
  /** null: a delete. */
  readonly record?: unknown;
  /** Not in the archive. */
  readonly isMissing?: boolean;
}

export interface TestCommit {
  readonly seq: number;
  readonly timeMs?: number;
  readonly did?: string;
  readonly rev?: string;
  readonly ops?: readonly TestOp[];
  /** Changes what the signed commit says. */
  readonly commit?: Readonly<Record<string, unknown>>;
  /** Changes the payload. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

export const timeOf = (seq: number): number => BASE_TIME_MS + seq * 1_000;
const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** The revision for a moment, clock id 0. */
export function tidOf(timeMs: number): string {
  const alphabet = "234567abcdefghijklmnopqrstuvwxyz";
  let rest = BigInt(timeMs) * 1_000n * 1_024n;
  let text = "";
  for (let left = 13; left > 0; left--, rest /= 32n) text = `${alphabet[Number(rest % 32n)]}${text}`;
  return text;
}

/** `t` undefined: no `t` in the header. */
export function frame(header: Readonly<Record<string, unknown>>, payload: unknown): Buffer {
  return Buffer.concat([dagCbor.encode(header), dagCbor.encode(payload)]);
}

export function cidOf(block: Uint8Array): CID {
  return CID.createV1(dagCbor.code, Digest.create(SHA_256, hash("sha256", block, "buffer")));
}

export function car(root: CID, blocks: readonly (readonly [CID, Uint8Array])[]): Buffer {
  const header = dagCbor.encode({ roots: [root], version: 1 });
  const sections = blocks.map(([cid, block]) =>
    Buffer.concat([varint(cid.bytes.length + block.length), cid.bytes, block]),
  );
  return Buffer.concat([varint(header.length), header, ...sections]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

export function commitBlock(fields: Readonly<Record<string, unknown>> = {}): Uint8Array {
  const data = cidOf(dagCbor.encode({ e: [], l: null }));
  const rev = "3l3qwxyz222aa";
  return dagCbor.encode({ did: DID, version: 3, rev, data, prev: null, sig: new Uint8Array(64), ...fields });
}

export function commitFrame(options: TestCommit): Buffer {
  const { seq, timeMs = timeOf(seq), did = DID, rev = "3l3qwxyz222aa", ops = [{}] } = options;
  const root = commitBlock({ did, rev, ...options.commit });
  const blocks: [CID, Uint8Array][] = [[cidOf(root), root]];
  const opItems = ops.map((op, index) => {
    const {
      action = "create",
      path = `app.bsky.feed.post/3k${seq}-${index}`,
      record = { text: `post ${seq}.${index}` },
    } = op;
    if (record === null) return { action, path, cid: null };
    const block = dagCbor.encode(record);
    const cid = cidOf(block);
    if (op.isMissing !== true) blocks.push([cid, block]);
    return { action, path, cid };
  });
  return frame(
    { op: 1, t: "#commit" },
    {
      seq,
      repo: did,
      commit: cidOf(root),
      rev,
      since: null,
      blocks: car(cidOf(root), blocks),
      ops: opItems,
      blobs: [],
      rebase: false,
      tooBig: false,
      time: iso(timeMs),
      ...options.payload,
    },
  );
}

export function markerFrame(
  type: "#identity" | "#account" | "#sync",
  seq: number,
  fields: Readonly<Record<string, unknown>> = {},
): Buffer {
  const root = commitBlock();
  const own = {
    "#identity": { handle: "alice.example" },
    "#account": { active: true },
    "#sync": { rev: "3l3qwxyz222aa", blocks: car(cidOf(root), [[cidOf(root), root]]) },
  }[type];
  return frame({ op: 1, t: type }, { seq, did: DID, time: iso(timeOf(seq)), ...own, ...fields });
}

export const infoFrame = (name: string): Buffer => frame({ op: 1, t: "#info" }, { name, message: `${name} it is` });
export const errorFrame = (error: string): Buffer => frame({ op: -1 }, { error, message: `${error} it is` });
/** Header and half a payload. */
export const truncatedFrame = (seq: number): Buffer => commitFrame({ seq }).subarray(0, 120);
