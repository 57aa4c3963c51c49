/**
 * Parses frames for the oracle, independently of packages/firehose, with @ipld/dag-cbor and @ipld/car.
 * It is slow and simple on purpose.
 */
import { CarReader } from "@ipld/car";
import { decode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { holdsNul, type Json, toAtprotoJson } from "./atproto-json.ts";

interface Common {
  readonly seq: number;
  readonly timeMs: number;
  readonly did: string;
}

export interface OracleOp {
  readonly action: string;
  readonly collection: string;
  readonly rkey: string;
  readonly cid: string | null;
  /** null for a delete, and for a record that the tables cannot store: then `dead` says why. */
  readonly record: Json;
  readonly dead: string | null;
}

export type OracleFrame =
  | (Common & { readonly kind: "commit"; readonly rev: string; readonly ops: readonly OracleOp[] })
  | (Common & { readonly kind: "sync"; readonly rev: string })
  | (Common & { readonly kind: "account"; readonly active: boolean; readonly status: string | null })
  | (Common & { readonly kind: "identity"; readonly handle: string | null })
  | { readonly kind: "other" };

type Fields = Readonly<Record<string, unknown>>;

/** @throws if the frame is not well-formed */
export async function readOracleFrame(frame: Uint8Array): Promise<OracleFrame> {
  const split = itemEnd(frame, 0);
  const header = decode<Fields>(frame.subarray(0, split));
  const body = decode<Fields>(frame.subarray(split));
  if (header["op"] !== 1) return { kind: "other" };
  const common = {
    seq: Number(body["seq"]),
    timeMs: Date.parse(String(body["time"])),
    did: String(body["repo"] ?? body["did"]),
  };
  switch (header["t"]) {
    case "#commit":
      return { kind: "commit", ...common, rev: String(body["rev"]), ops: await readOps(body) };
    case "#sync":
      return { kind: "sync", ...common, rev: String(body["rev"]) };
    case "#account":
      return { kind: "account", ...common, active: body["active"] === true, status: textOrNull(body["status"]) };
    case "#identity":
      return { kind: "identity", ...common, handle: textOrNull(body["handle"]) };
    default:
      return { kind: "other" };
  }
}

async function readOps(body: Fields): Promise<OracleOp[]> {
  const { ops, blocks }: { ops?: unknown; blocks?: unknown } = body;
  if (!Array.isArray(ops) || !(blocks instanceof Uint8Array)) throw new TypeError("a commit without ops or blocks");
  if (ops.length === 0) return [];
  const car = await CarReader.fromBytes(blocks);
  return await Promise.all(ops.map((op: Fields) => readOp(op, car)));
}

async function readOp(op: Fields, car: CarReader): Promise<OracleOp> {
  const path = String(op["path"]);
  const slash = path.indexOf("/");
  const key = { action: String(op["action"]), collection: path.slice(0, slash), rkey: path.slice(slash + 1) };
  const cid = CID.asCID(op["cid"]);
  if (cid === null) return { ...key, cid: null, record: null, dead: null };
  const block = await car.get(cid);
  if (block === undefined) return { ...key, cid: cid.toString(), record: null, dead: "missing-block" };
  const digest = await sha256.digest(block.bytes);
  if (!CID.createV1(cid.code, digest).equals(cid)) {
    return { ...key, cid: cid.toString(), record: null, dead: "hash-mismatch" };
  }
  try {
    const record = toAtprotoJson(decode(block.bytes));
    const dead = holdsNul(record) ? "nul-character" : null;
    return { ...key, cid: cid.toString(), record: dead === null ? record : null, dead };
  } catch (error) {
    return { ...key, cid: cid.toString(), record: null, dead: String(error) };
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Where the CBOR item at `offset` ends. Decoders for whole items do not return it. */
function itemEnd(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0;
  const major = first >> 5;
  const short = first & 31;
  const width = short < 24 ? 0 : 2 ** (short - 24);
  let value = short;
  if (width > 0)
    value = Number(BigInt(`0x${Buffer.from(bytes.subarray(offset + 1, offset + 1 + width)).toString("hex")}`));
  let end = offset + 1 + width;
  if (major === 2 || major === 3) return end + value;
  if (major < 2 || major === 7) return end;
  const inner = major === 4 ? value : major === 5 ? value * 2 : 1;
  for (let i = 0; i < inner; i += 1) end = itemEnd(bytes, end);
  return end;
}
