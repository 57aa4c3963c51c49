/** A repository in memory, built by our own builder and signed with a test key, for a fake PDS. */
import { encode } from "@ipld/dag-cbor";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { CID } from "multiformats/cid";
import { newSigner, type Signer } from "../../../../test/support/sign.ts";
import { createTreeBuilder } from "@firehose-backfill/repos/tree/tree-builder";

export const ALICE = "did:plc:alicealicealicealicealic";
export const FIRST_REV = "3lbf6vdrr2s2a";

export interface TestRepo {
  readonly did: string;
  readonly rev: string;
  readonly signer: Signer;
  /** CID of the signed commit, and of the tree's root. */
  readonly commit: Uint8Array;
  readonly data: Uint8Array;
  /** Everything: commit, nodes, records. By the CID's text. */
  readonly blocks: ReadonlyMap<string, Uint8Array>;
  /** In key order. */
  readonly records: readonly { readonly key: string; readonly cid: Uint8Array; readonly bytes: Uint8Array }[];
  /** CIDs of the nodes alone. */
  readonly nodes: ReadonlySet<string>;
}

export interface RepoSpec {
  readonly did?: string;
  readonly rev?: string;
  readonly signer?: Signer;
}

/** `records`: from path to value; a Uint8Array is used as the block itself. */
export function makeRepo(records: Readonly<Record<string, unknown>>, spec: RepoSpec = {}): TestRepo {
  const { did = ALICE, rev = FIRST_REV, signer = newSigner("k256") } = spec;
  const blocks = new Map<string, Uint8Array>();
  const nodes = new Set<string>();
  const builder = createTreeBuilder({
    onNode: (cid, bytes) => {
      nodes.add(cidToText(cid));
      blocks.set(cidToText(cid), Uint8Array.from(bytes));
    },
  });
  const listed = Object.keys(records)
    .sort()
    .map((key) => {
      const value = records[key];
      const bytes = value instanceof Uint8Array ? value : encode(value);
      const cid = cidOf(bytes);
      blocks.set(cidToText(cid), bytes);
      builder.add(key, cid);
      return { key, cid, bytes };
    });
  const data = builder.finish();
  const block = signCommit({ did, rev, data }, signer);
  const commit = cidOf(block);
  blocks.set(cidToText(commit), block);
  return { did, rev, signer, commit, data, blocks, records: listed, nodes };
}

export interface CommitFields {
  readonly did: string;
  readonly rev: string;
  readonly data: Uint8Array;
  readonly version?: number;
}

/** The bytes of a signed commit block. */
export function signCommit({ did, rev, data, version = 3 }: CommitFields, signer: Signer): Uint8Array {
  const unsigned = { did, rev, data: CID.decode(data), prev: null, version };
  return encode({ ...unsigned, sig: signer.sign(encode(unsigned)) });
}

/** `count` paths and records, spread over `collections`, with keys that are TIDs. */
export function manyRecords(count: number, collections: readonly string[]): Record<string, unknown> {
  const records: Record<string, unknown> = {};
  for (let index = 0; index < count; index++) {
    const collection = collections[index % collections.length] ?? "";
    records[`${collection}/${tidOf(1_600_000_000_000 + index * 60_000)}`] = {
      $type: collection,
      text: `number ${index}`,
    };
  }
  return records;
}

const TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";

/** The TID of a moment, clock id 0. */
export function tidOf(timeMs: number): string {
  let rest = BigInt(timeMs) * 1_000n * 1_024n;
  let text = "";
  for (let index = 0; index < 13; index++) {
    text = TID_ALPHABET.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}
