import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { CarReader } from "@ipld/car";
import { encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { ArchiveTooLargeError, BadRepoError, TornArchiveError } from "./errors.ts";
import { type CarLimits, readCar } from "./read-car.ts";
import { type CarBlock, inPieces, makeCar, varint } from "@firehose-backfill/testing/repos/make-car";

const LIMITS: CarLimits = { maxBytes: 10_000_000, maxBlockBytes: 1_000_000, root: "required" };
const block = (value: unknown): CarBlock => {
  const bytes = encode(value);
  return { cid: cidOf(bytes), bytes };
};
const ROOT = block({ root: true });
const BLOCKS = [
  block({ a: 1 }),
  ROOT,
  block({ b: "two" }),
  { cid: cidOf(Buffer.from("raw"), 0x55), bytes: Buffer.from("raw") },
];

async function read(bytes: Uint8Array, limits: Partial<CarLimits> = {}, sizes = [bytes.length]) {
  const found: CarBlock[] = [];
  const summary = await readCar(inPieces(bytes, sizes), { ...LIMITS, ...limits }, (from, cid, start, end) =>
    found.push({ cid: Uint8Array.from(from.subarray(cid, start)), bytes: Uint8Array.from(from.subarray(start, end)) }),
  );
  return { summary, found };
}
const failure = (bytes: Uint8Array, limits: Partial<CarLimits> = {}, sizes?: number[]): Promise<unknown> =>
  read(bytes, limits, sizes).then(
    () => "read",
    (error: unknown) => error,
  );
const shape = (blocks: readonly CarBlock[]) => blocks.map(({ cid, bytes }) => [cidToText(cid), Buffer.from(bytes)]);

describe("an archive", () => {
  it("is the same in pieces of any size", async () => {
    const car = makeCar(ROOT.cid, BLOCKS);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
        const { summary, found } = await read(car, {}, sizes);
        expect(shape(found)).toEqual(shape(BLOCKS));
        expect(summary).toEqual({ root: ROOT.cid, blocks: BLOCKS.length, bytes: car.length });
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it.each(["empty.car", "tiny.car", "little.car"])("of a host, %s, reads as by @ipld/car", async (name) => {
    const bytes = await readFile(new URL(`../fixtures/${name}`, import.meta.url));
    const judge = await CarReader.fromBytes(bytes);
    const expected: CarBlock[] = [];
    for await (const { cid, bytes: body } of judge.blocks()) expected.push({ cid: cid.bytes, bytes: body });
    const { found, summary } = await read(bytes, {}, [1_000]);
    expect(found.length).toBeGreaterThan(0);
    expect(shape(found)).toEqual(shape(expected));
    expect(CID.decode(summary.root ?? new Uint8Array()).toString()).toBe((await judge.getRoots())[0]?.toString());
  });

  it("without a root is one only where none is needed", async () => {
    const car = makeCar(null, BLOCKS);
    expect((await read(car, { root: "optional" })).summary).toMatchObject({ root: null, blocks: 4 });
    expect(await failure(car)).toMatchObject({ name: "BadRepoError", reason: "bad-archive", message: "no root" });
  });

  it("may hold a block twice, and no root block where none is needed", async () => {
    const car = makeCar(ROOT.cid, [BLOCKS[0] ?? ROOT, BLOCKS[0] ?? ROOT]);
    expect((await read(car, { root: "optional" })).found).toHaveLength(2);
  });
});

describe("a torn archive", () => {
  const car = makeCar(ROOT.cid, BLOCKS);

  it("is seen wherever it is cut within a block", async () => {
    const boundaries = new Set<number>();
    for (let count = 0; count <= BLOCKS.length; count++)
      boundaries.add(makeCar(ROOT.cid, BLOCKS.slice(0, count)).length);
    for (let cut = 0; cut < car.length; cut++) {
      const result = await failure(car.subarray(0, cut), {}, [7]);
      const isWhole = boundaries.has(cut) && cut >= makeCar(ROOT.cid, BLOCKS.slice(0, 2)).length;
      expect(result instanceof TornArchiveError ? "torn" : result).toBe(isWhole ? "read" : "torn");
    }
  });

  it("without its commit is seen at its end", async () => {
    const torn = await failure(
      makeCar(
        ROOT.cid,
        BLOCKS.filter((one) => one !== ROOT),
      ),
    );
    expect(torn).toBeInstanceOf(TornArchiveError);
    expect(torn).toMatchObject({ message: "the archive has 3 blocks, and its root is not among them" });
  });
});

describe("an archive is refused", () => {
  const header = encode({ version: 1, roots: [CID.decode(ROOT.cid)] });
  const after = (...parts: Uint8Array[]) => Buffer.concat([varint(header.length), header, ...parts]);
  const wrong = { cid: ROOT.cid, bytes: encode({ root: false }) };
  const legacy = Buffer.concat([CID.parse("QmRgutAxd8t7oGkSm4wmeuByG6M51wcTso6cubDdQtuEfL").bytes, Buffer.alloc(10)]);
  it.each<[string, Buffer, string, string]>([
    ["another block under a CID", makeCar(ROOT.cid, [wrong]), "hash-mismatch", "not the one"],
    ["a section of 0 bytes", after(varint(0)), "bad-archive", "is 0"],
    ["a section too short for a CID", after(varint(35), Buffer.alloc(35)), "bad-archive", "too short"],
    ["a block that is too long", after(varint(1_000_037)), "bad-archive", "at most 1000000"],
    ["a length of five digits", after(Buffer.from("ffffffffff01", "hex")), "bad-archive", "too many digits"],
    ["a length that is not the shortest", after(Buffer.from("a80000", "hex")), "bad-archive", "shortest form"],
    ["a CID of another kind", after(varint(legacy.length), legacy), "bad-archive", "not one of atproto's"],
    ["a header that is too long", Buffer.concat([varint(2_000), Buffer.alloc(2_000)]), "bad-archive", "header is 2000"],
    [
      "a header of version 2",
      Buffer.concat([varint(58), encode({ version: 2, roots: [CID.decode(ROOT.cid)] })]),
      "bad-archive",
      "version 2",
    ],
    ["HTML", Buffer.from("<!doctype html><html></html>".repeat(9)), "bad-archive", "DAG-CBOR"],
  ])("%s", async (_, bytes, reason, message) => {
    for (const sizes of [[bytes.length], [1]]) {
      const error = await failure(bytes, {}, sizes);
      expect(error).toBeInstanceOf(BadRepoError);
      expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
    }
  });

  it("that is larger than allowed, as soon as it is", async () => {
    let given = 0;
    async function* endless() {
      yield makeCar(ROOT.cid, []);
      for (;;) {
        given += 1;
        yield makeCar(ROOT.cid, BLOCKS).subarray(makeCar(ROOT.cid, []).length);
      }
    }
    const reading = readCar(endless(), { ...LIMITS, maxBytes: 5_000 }, () => undefined);
    await expect(reading).rejects.toBeInstanceOf(ArchiveTooLargeError);
    expect(given).toBeLessThan(50);
  });
});

describe("hostile archives", () => {
  it("issue 15.9: what they announce and do not send takes no memory", async () => {
    // A block of nearly a megabyte is announced, and three bytes of it come.
    const header = encode({ version: 1, roots: [CID.decode(ROOT.cid)] });
    const bytes = Buffer.concat([varint(header.length), header, varint(999_000), Buffer.from([1, 113, 18])]);
    const before = process.memoryUsage().arrayBuffers;
    const results = await Promise.all(Array.from({ length: 1_000 }, () => failure(bytes)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576);
    expect(results.every((result) => result instanceof TornArchiveError)).toBe(true);
  });

  it("are refused by name or read, whatever is changed in them", { timeout: 120_000 }, async () => {
    const little = readFileSync(new URL("../fixtures/tiny.car", import.meta.url));
    const samples = [little, makeCar(ROOT.cid, BLOCKS)];
    const outcomes = new Map<string, number>();
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        changes,
        fc.integer({ min: 1, max: 400 }),
        async (sample, flips, size) => {
          const bytes = Buffer.from(sample);
          for (const [at, value] of flips) bytes[at % bytes.length] = value;
          const result = await failure(bytes, {}, [size]);
          const isKnown = result === "read" || result instanceof BadRepoError || result instanceof TornArchiveError;
          expect(isKnown).toBe(true);
          const name = result instanceof BadRepoError ? result.reason : String(result).slice(0, 12);
          outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
        },
      ),
      { numRuns: isLong ? 20_000 : 1_500, seed: 2 },
    );
    expect(outcomes.get("hash-mismatch")).toBeGreaterThan(100);
    expect(outcomes.get("bad-archive")).toBeGreaterThan(10);
  });
});
