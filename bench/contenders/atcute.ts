/** @atcute/cbor and @atcute/car with the least work: blocks are found by the first bytes of their digest, without the text of a CID. */
import { fromUint8Array } from "@atcute/car";
import { type CidLink, decode, decodeFirst, fromBytes, type Bytes } from "@atcute/cbor";
import { type Contender, type DecodeFrame, NO_SUCH_COLLECTION } from "./contender.ts";
import { readingWith } from "./ws-stream.ts";

interface Op {
  readonly action: string;
  readonly path: string;
  readonly cid: (CidLink & { readonly bytes: Uint8Array }) | null;
}

interface CommitBody {
  readonly blocks: Bytes;
  readonly ops: readonly Op[];
}

const DIGEST = 4;
const LENGTH = 36;

function body(frame: Uint8Array): CommitBody | null {
  const [header, rest] = decodeFirst(frame) as [{ readonly t: string }, Uint8Array];
  const [payload, after] = decodeFirst(rest);
  if (after.length !== 0) throw new Error("more than two items");
  return header.t === "#commit" ? (payload as CommitBody) : null;
}

/** `passes` is called before the archive is opened. */
function decoding(passes: (path: string) => boolean): DecodeFrame {
  return (frame) => {
    const commit = body(frame);
    if (commit === null) return 0;
    const wanted = new Map<number, Uint8Array>();
    for (const { path, cid } of commit.ops) {
      if (cid !== null && passes(path)) wanted.set(digestStart(cid.bytes), cid.bytes);
    }
    if (wanted.size === 0) return 0;
    let records = 0;
    for (const { cid, bytes } of fromUint8Array(fromBytes(commit.blocks))) {
      const cidBytes: Uint8Array = cid.bytes;
      const found = wanted.get(digestStart(cidBytes));
      if (found === undefined || !equals(found, cidBytes)) continue;
      decode(bytes);
      records++;
    }
    return records;
  };
}

function digestStart(cid: Uint8Array): number {
  return (
    ((cid[DIGEST] ?? 0) << 24) | ((cid[DIGEST + 1] ?? 0) << 16) | ((cid[DIGEST + 2] ?? 0) << 8) | (cid[DIGEST + 3] ?? 0)
  );
}

function equals(left: Uint8Array, right: Uint8Array): boolean {
  for (let at = DIGEST; at < LENGTH; at++) if (left[at] !== right[at]) return false;
  return true;
}

const records = decoding(() => true);
const noMatch = decoding((path) => path.startsWith(`${NO_SUCH_COLLECTION}/`));

export const contender: Contender = {
  name: "@atcute, leanest",
  decode: { records, "no-match": noMatch },
  read: { records: readingWith(records), "no-match": readingWith(noMatch) },
};
