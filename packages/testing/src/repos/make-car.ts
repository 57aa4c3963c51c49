/** Builds archives: correct ones, and such as no host should send. */
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";

export interface CarBlock {
  readonly cid: Uint8Array;
  readonly bytes: Uint8Array;
}

export function makeCar(root: Uint8Array | null, blocks: Iterable<CarBlock>): Buffer {
  const header = encode({ version: 1, roots: root === null ? [] : [CID.decode(root)] });
  const parts: Uint8Array[] = [varint(header.length), header];
  for (const { cid, bytes } of blocks) parts.push(varint(cid.length + bytes.length), cid, bytes);
  return Buffer.concat(parts);
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** The bytes in pieces of the given sizes, repeatedly. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
