import { cidOf } from "@firehose-backfill/core/cid";
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { BadRepoError } from "../errors.ts";
import { makeRepo } from "@firehose-backfill/testing/repos/test-repo";
import { allRanges, fetcherOf, walkOptions } from "@firehose-backfill/testing/repos/walking";
import { keyLayer } from "../tree/key-layer.ts";
import type { ProvedRange } from "./proved-range.ts";

const keysOf = (ranges: readonly ProvedRange[]) => ranges.flatMap(({ records }) => records.map(({ key }) => key));

describe("a tree that is not one", () => {
  const ofLayer = (layer: number, prefix: string) => {
    for (let index = 0; ; index++) if (keyLayer(`${prefix}${index}`) === layer) return `${prefix}${index}`;
  };
  const value = CID.decode(cidOf(encode({})));
  const entry = (key: string, tree: CID | null = null) => ({ k: Buffer.from(key), p: 0, t: tree, v: value });
  type Raw = { readonly e: readonly unknown[]; readonly l: CID | null };

  async function walkOf(make: (put: (node: Raw) => CID) => CID): Promise<unknown> {
    const blocks = new Map<string, Uint8Array>([[value.toString(), encode({})]]);
    const put = (node: Raw) => {
      const bytes = encode(node);
      const cid = CID.decode(cidOf(bytes));
      blocks.set(cid.toString(), bytes);
      return cid;
    };
    const data = make(put).bytes;
    const commit = { ...makeRepo({}), data };
    return await allRanges(walkOptions(commit, fetcherOf(blocks))).then(keysOf, (error: unknown) => error);
  }

  const low = ofLayer(0, "a.b.c/a");
  const lowAfter = ofLayer(0, "a.b.c/z");
  const middle = ofLayer(1, "a.b.c/m");
  const high = ofLayer(2, "a.b.c/n");

  it("a sound one, made the same way, is read", async () => {
    expect(await walkOf((put) => put({ e: [entry(middle)], l: put({ e: [entry(low)], l: null }) }))).toEqual([
      low,
      middle,
    ]);
    const skipped = await walkOf((put) =>
      put({ e: [entry(high)], l: put({ e: [], l: put({ e: [entry(low)], l: null }) }) }),
    );
    expect(skipped).toEqual([low, high]);
  });

  it.each<[string, (put: (node: Raw) => CID) => CID, string]>([
    [
      "a layer left out",
      (put) => put({ e: [entry(high)], l: put({ e: [entry(low)], l: null }) }),
      "it stands on layer 1",
    ],
    [
      "a key above its place",
      (put) => put({ e: [entry(middle)], l: put({ e: [entry(lowAfter)], l: null }) }),
      "not below what comes after",
    ],
    [
      "a key below its place",
      (put) => put({ e: [entry(middle, put({ e: [entry(low)], l: null }))], l: null }),
      "not above what comes before",
    ],
    ["a node under the lowest layer", (put) => put({ e: [entry(low)], l: put({ e: [], l: null }) }), "lowest layer"],
    ["an empty node", (put) => put({ e: [entry(middle)], l: put({ e: [], l: null }) }), "it is empty"],
    [
      "an empty root over a node",
      (put) => put({ e: [], l: put({ e: [entry(low)], l: null }) }),
      "the root holds no key",
    ],
    ["a record as a node", () => value, "not those of a node"],
  ])("%s", async (_, make, message) => {
    const error = await walkOf(make);
    expect(error).toBeInstanceOf(BadRepoError);
    expect(error).toMatchObject({ reason: "bad-node", message: expect.stringContaining(message) });
  });
});
