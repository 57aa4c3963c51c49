import { cidOf } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockTable } from "./block-table.ts";

function put(table: BlockTable, block: Uint8Array): Uint8Array {
  const cid = cidOf(block);
  const bytes = Buffer.concat([Buffer.from("before"), cid, block, Buffer.from("after")]);
  table.put(bytes, 6, 6 + 36 + block.length);
  return cid;
}

describe("a table of blocks", () => {
  it("gives what was put, and nothing else, whatever the sizes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 60 }), (blocks) => {
        const table = new BlockTable();
        const cids = blocks.map((block) => put(table, block));
        for (const [index, cid] of cids.entries()) {
          expect(Buffer.compare(table.get(cid) ?? Buffer.from("absent"), blocks[index] ?? new Uint8Array())).toBe(0);
        }
        expect(table.get(cidOf(Buffer.from("another")))).toBeNull();
        const distinct = new Map(
          cids.map((cid, index) => [Buffer.from(cid).toString("hex"), blocks[index]?.length ?? 0]),
        );
        expect(table.size).toBe(distinct.size);
        expect(table.bytes).toBe([...distinct.values()].reduce((sum, length) => sum + length, 0));
      }),
      { numRuns: 50, seed: 3 },
    );
  });

  it("holds a hundred thousand", () => {
    const table = new BlockTable();
    const cids = Array.from({ length: 100_000 }, (_, index) => put(table, Buffer.from(`record ${index}`)));
    expect(table.size).toBe(100_000);
    expect(cids.every((cid, index) => table.get(cid)?.toString() === `record ${index}`)).toBe(true);
  });

  it("keeps its own copy", () => {
    const table = new BlockTable();
    const block = Buffer.from("mine");
    const bytes = Buffer.concat([cidOf(block), block]);
    table.put(bytes, 0, bytes.length);
    bytes.fill(0);
    expect(table.get(cidOf(block))?.toString()).toBe("mine");
  });
});
