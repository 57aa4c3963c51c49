/** @atcute/cbor and @atcute/car as usually written: a map of blocks by the text of their CID, then the operations. */
import { fromUint8Array } from "@atcute/car";
import { type Bytes, type CidLink, decode, decodeFirst, fromBytes, toCidLink } from "@atcute/cbor";
import type { Contender, DecodeFrame } from "./contender.ts";
import { readingWith } from "./ws-stream.ts";

interface CommitBody {
  readonly blocks: Bytes;
  readonly ops: readonly { readonly cid: CidLink | null }[];
}

const records: DecodeFrame = (frame) => {
  const [header, rest] = decodeFirst(frame) as [{ readonly t: string }, Uint8Array];
  const [payload] = decodeFirst(rest);
  if (header.t !== "#commit") return 0;
  const { blocks, ops } = payload as CommitBody;
  const byCid = new Map<string, Uint8Array>();
  for (const { cid, bytes } of fromUint8Array(fromBytes(blocks))) byCid.set(toCidLink(cid).$link, bytes);
  let found = 0;
  for (const { cid } of ops) {
    const bytes = cid === null ? undefined : byCid.get(cid.$link);
    if (bytes === undefined) continue;
    decode(bytes);
    found++;
  }
  return found;
};

export const contender: Contender = {
  name: "@atcute, as usual",
  decode: { records },
  read: { records: readingWith(records) },
};
