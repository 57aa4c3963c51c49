/** A large repository made at once: its archive, built here and signed with the account's key, is imported by the PDS. Writing it would take minutes. */
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { cidOf } from "@firehose-backfill/core/cid";
import { tidAt } from "@firehose-backfill/core/tid";
import { createTreeBuilder } from "@firehose-backfill/repos/tree/tree-builder";
import { makeCar } from "@firehose-backfill/testing/repos/make-car";

/**
 * @param {string} did
 * @param {{ sign(bytes: Uint8Array): Promise<Uint8Array> }} key
 * @param {Readonly<Record<string, unknown>>} records by `collection/rkey`
 * @returns {Promise<Uint8Array>}
 */
export async function archiveOf(did, key, records) {
  const blocks = [];
  const builder = createTreeBuilder({
    onNode: (cid, bytes) => blocks.push({ cid: Uint8Array.from(cid), bytes: Uint8Array.from(bytes) }),
  });
  for (const path of Object.keys(records).sort()) {
    const bytes = encode(records[path]);
    const cid = cidOf(bytes);
    blocks.push({ cid, bytes });
    builder.add(path, cid);
  }
  const unsigned = { did, version: 3, rev: tidAt(Date.now()), prev: null, data: CID.decode(builder.finish()) };
  const bytes = encode({ ...unsigned, sig: await key.sign(encode(unsigned)) });
  const cid = cidOf(bytes);
  return makeCar(cid, [{ cid, bytes }, ...blocks]);
}

/**
 * Every tenth has the bytes of others: one block at many paths.
 * @param {number} count
 * @param {readonly string[]} collections
 */
export function recordsOf(count, collections) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const collection = collections[index % collections.length];
      const text = index % 10 === 0 ? "the same" : `number ${index}`;
      const record = { $type: collection, text, createdAt: "2026-01-01T00:00:00.000Z" };
      return [`${collection}/r${String(index).padStart(6, "0")}`, record];
    }),
  );
}
