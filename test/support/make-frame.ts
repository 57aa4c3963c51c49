/** Builds frames for tests with @ipld/dag-cbor and @ipld/car: they are well-formed, hashes are correct, the signature is a dummy. */
import { CarBufferWriter } from "@ipld/car";
import { code, encode } from "@ipld/dag-cbor";
import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import { create } from "multiformats/hashes/digest";

const SHA_256 = 0x12;

export interface OpSpec {
  readonly action: "create" | "update" | "delete";
  /** `collection/rkey` */
  readonly path: string;
  /** Absent for a delete. */
  readonly record?: unknown;
  /** The bytes of the record's block, even if no encoder would write them. */
  readonly block?: Uint8Array;
}

export interface CommitSpec {
  readonly seq: number;
  readonly did: string;
  readonly rev: string;
  readonly ops?: readonly OpSpec[];
  /** ISO 8601. */
  readonly time?: string;
  /** Signs the unsigned commit, 64 bytes. Default: zeros. */
  readonly sign?: (unsigned: Uint8Array) => Uint8Array;
}

export function commitFrame({ seq, did, rev, ops = [], time = timeOf(seq), sign }: CommitSpec): Uint8Array {
  const records = ops.flatMap((op) => (op.action === "delete" ? [] : [blockOf(op)]));
  const { cid, car } = seal(did, rev, records, sign);
  const wireOps = ops.map((op) => ({
    action: op.action,
    path: op.path,
    cid: op.action === "delete" ? null : blockOf(op).cid,
  }));
  return frameOf("#commit", {
    seq,
    repo: did,
    commit: cid,
    rev,
    since: null,
    blocks: car,
    ops: wireOps,
    time,
    blobs: [],
    rebase: false,
    tooBig: false,
  });
}

export function syncFrame({ seq, did, rev, time = timeOf(seq) }: Omit<CommitSpec, "ops" | "sign">): Uint8Array {
  return frameOf("#sync", { seq, did, blocks: seal(did, rev, []).car, rev, time });
}

export function accountFrame(spec: {
  seq: number;
  did: string;
  active: boolean;
  status?: string;
  time?: string;
}): Uint8Array {
  return frameOf("#account", { time: timeOf(spec.seq), ...spec });
}

export function identityFrame(spec: { seq: number; did: string; handle?: string; time?: string }): Uint8Array {
  return frameOf("#identity", { time: timeOf(spec.seq), ...spec });
}

export function frameOf(kind: string, payload: unknown): Uint8Array {
  return Buffer.concat([encode({ op: 1, t: kind }), encode(payload)]);
}

/** A minute for each sequence number, from 2026-01-01 on. */
export function timeOf(seq: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seq * 60_000).toISOString();
}

/** The text of the record's CID. */
export function cidOf(record: unknown): string {
  return block(record).cid.toString();
}

function seal(
  did: string,
  rev: string,
  records: readonly Block[],
  sign: CommitSpec["sign"] = () => new Uint8Array(64),
): { cid: CID; car: Uint8Array } {
  const data = block({ e: [], l: null });
  const unsigned = { did, version: 3, data: data.cid, rev, prev: null };
  const commit = block({ ...unsigned, sig: sign(encode(unsigned)) });
  const blocks = [commit, data, ...records];
  const writer = CarBufferWriter.createWriter(
    new ArrayBuffer(blocks.reduce((sum, { bytes }) => sum + bytes.length + 64, 256)),
    { roots: [commit.cid] },
  );
  for (const each of blocks) writer.write(each);
  return { cid: commit.cid, car: writer.close({ resize: true }) };
}

interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

function blockOf({ record, block: bytes }: OpSpec): Block {
  return bytes === undefined ? block(record) : blockOfBytes(bytes);
}

function block(value: unknown): Block {
  return blockOfBytes(encode(value));
}

function blockOfBytes(bytes: Uint8Array): Block {
  return { cid: CID.createV1(code, create(SHA_256, createHash("sha256").update(bytes).digest())), bytes };
}
