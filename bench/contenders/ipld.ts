/** @ipld/dag-cbor and @ipld/car. dag-cbor decodes whole items only, so the header's length is calculated by hand. */
import { CarBufferReader } from "@ipld/car/buffer-reader";
import { decode } from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import type { Contender, DecodeFrame } from "./contender.ts";
import { readingWith } from "./ws-stream.ts";

interface CommitBody {
  readonly blocks: Uint8Array;
  readonly ops: readonly { readonly cid: CID | null }[];
}

/** `{t: "#…", op: 1}`: the head of the map, the key `t`, the head of its text; after the text, the key `op` and the 1. */
const BEFORE_TYPE = 4;
const BEHIND_TYPE = 4;

const records: DecodeFrame = (frame) => {
  const headerEnd = BEFORE_TYPE + ((frame[BEFORE_TYPE - 1] ?? 0) & 0x1f) + BEHIND_TYPE;
  const header: { readonly t: string } = decode(frame.subarray(0, headerEnd));
  const payload: unknown = decode(frame.subarray(headerEnd));
  if (header.t !== "#commit") return 0;
  const { blocks, ops } = payload as CommitBody;
  const car = CarBufferReader.fromBytes(blocks);
  let found = 0;
  for (const { cid } of ops) {
    const block = cid === null ? undefined : car.get(cid);
    if (block === undefined) continue;
    decode(block.bytes);
    found++;
  }
  return found;
};

export const contender: Contender = {
  name: "@ipld",
  decode: { records },
  read: { records: readingWith(records) },
};
