/**
 * Hostile frames through everything that looks at their bytes: frame, archive, commit fields, and the records that come out.
 * `npm run test:long` swallows 100,000 of them, `npm test` a twentieth.
 */
import { readFileSync } from "node:fs";
import { BadRecordError, decodeRecord } from "@firehose-backfill/core/cbor/decode-record";
import { recordToJson } from "@firehose-backfill/core/cbor/record-json";
import { encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { compileFilter } from "./filter.ts";
import { readFrameFile } from "@firehose-backfill/testing/firehose/frame-file";
import { readFrame } from "./frame.ts";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import { commitFrame, markerFrame } from "@firehose-backfill/testing/firehose/frames";

const recorded = ["pds-frames-small.bin", "network-frames.bin"].flatMap((name) =>
  [...readFrameFile(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)))].filter(
    ({ length }) => length < 20_000,
  ),
);
const samples = [...recorded, commitFrame({ seq: 1 }), markerFrame("#sync", 2)].map((bytes) => Buffer.from(bytes));
const filter = compileFilter({ collections: [], dids: [] });

/** Reads and extracts; throws for what must not be, and says what came of it. */
function swallow(bytes: Buffer): string {
  swallowed += 1;
  const read = readFrame(bytes);
  if (read.kind === "broken" || read.kind === "unknown" || read.kind === "info" || read.kind === "error")
    return read.kind;
  const timeMs = Number.isNaN(read.timeMs) ? 0 : read.timeMs;
  for (const verify of ["structure", "signature"] as const) {
    const extract = extracted(read, { filter, verify, isAhead: () => false }, timeMs);
    if (extract.received !== extract.events.length) throw new Error("an event was lost");
    for (const event of extract.events) {
      if (event.kind === "dead" && event.payload.length > 16_384) throw new Error("a payload is too large");
      if (event.kind === "record" && event.record !== null) decode(event.record);
    }
  }
  return read.fault === null ? read.kind : read.fault.reason;
}

/** False: it is refused. */
function decode(record: Uint8Array): boolean {
  try {
    JSON.parse(recordToJson(decodeRecord(record)));
    return true;
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    return false;
  }
}

/** What a record could change, if its keys reached further than itself. */
const prototypes = () => [Object.prototype, Array.prototype].flatMap((one) => Reflect.ownKeys(one));
const innate = prototypes();
const LONGEST_MS = 600_000;
const MOST_GROWTH_MB = 400;
const startedMb = process.resourceUsage().maxRSS / 1024;
let swallowed = 0;

const sample = fc.nat({ max: samples.length - 1 }).map((index) => samples[index] ?? Buffer.alloc(0));
const commitHeader = commitFrame({ seq: 1 }).subarray(0, 15);
const runs = { numRuns: isLong ? 20_000 : 1_000, seed: 20_260_101 };

describe("hostile frames never throw, hang or lose an event", () => {
  it(
    "bits flipped",
    () => {
      const outcomes = new Set<string>();
      const flips = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(sample, flips, (bytes, places) => {
          const copy = Buffer.from(bytes);
          for (const [at, bit] of places) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << bit);
          outcomes.add(swallow(copy));
        }),
        runs,
      );
      // The flips reach beyond the header, and not everything is refused.
      expect(outcomes.has("broken") && outcomes.has("commit")).toBe(true);
    },
    LONGEST_MS,
  );

  it(
    "heads replaced by the beginning",
    () => {
      const heads = fc.constantFrom(0x1b, 0x3b, 0x5b, 0x7b, 0x9b, 0xbb, 0xc2, 0xd8, 0xfb, 0xff, 0x9f, 0xbf, 0x5f);
      fc.assert(
        fc.property(sample, fc.nat(), heads, (bytes, at, head) => {
          const copy = Buffer.from(bytes);
          copy[at % Math.min(copy.length, 400)] = head;
          expect(swallow(copy)).not.toBe("");
        }),
        runs,
      );
    },
    LONGEST_MS,
  );

  it(
    "cut anywhere: always broken",
    () => {
      fc.assert(
        fc.property(sample, fc.nat(), (bytes, at) => {
          expect(swallow(bytes.subarray(0, at % bytes.length))).toBe("broken");
        }),
        runs,
      );
    },
    LONGEST_MS,
  );

  it(
    "pieces exchanged",
    () => {
      fc.assert(
        fc.property(sample, sample, fc.nat(), fc.nat(), (left, right, at, from) => {
          const mixed = Buffer.concat([left.subarray(0, at % left.length), right.subarray(from % right.length)]);
          expect(swallow(mixed)).not.toBe("");
        }),
        runs,
      );
    },
    LONGEST_MS,
  );

  it(
    "records of broken bytes, whose hashes are right",
    () => {
      const outcomes = new Set<boolean>();
      const places = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(fc.object(), places, (value, changes) => {
          const record = Buffer.from(encode(JSON.parse(JSON.stringify({ value }))));
          for (const [at, byte] of changes) record[at % record.length] = byte;
          outcomes.add(decode(record));
        }),
        runs,
      );
      expect(outcomes).toEqual(new Set([true, false]));
    },
    LONGEST_MS,
  );

  it(
    "noise",
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
          expect(swallow(Buffer.from(noise))).not.toBe("commit");
          expect(swallow(Buffer.concat([commitHeader, noise]))).not.toBe("");
        }),
        runs,
      );
    },
    LONGEST_MS,
  );
});

describe("the worst frames take little time", () => {
  it("2 MB of the smallest blocks and 200 operations", () => {
    const bytes = commitFrame({
      seq: 1,
      ops: Array.from({ length: 200 }, (_, index) => ({ path: `app.bsky.feed.post/${index}`, record: { index } })),
      payload: { blocks: smallestBlocks() },
    });
    const before = performance.now();
    expect(swallow(bytes)).toBe("commit");
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it("5 MB of nested and repeated heads", () => {
    for (const byte of [0x81, 0xa1, 0xc2, 0x9b, 0x61]) {
      const before = performance.now();
      expect(swallow(Buffer.concat([commitFrame({ seq: 1 }).subarray(0, 15), Buffer.alloc(4_900_000, byte)]))).toBe(
        "broken",
      );
      expect(performance.now() - before).toBeLessThan(2_000);
    }
  });
});

it("and nothing is left of them: no changed prototype, no grown memory", () => {
  expect(prototypes()).toEqual(innate);
  expect(process.resourceUsage().maxRSS / 1024 - startedMb).toBeLessThan(MOST_GROWTH_MB);
  expect(swallowed).toBeGreaterThan(isLong ? 100_000 : 5_000);
});

function smallestBlocks(): Uint8Array {
  const { blocksStart } = commitBlocks();
  const header = commitFrame({ seq: 1 }).subarray(blocksStart, blocksStart + 59);
  const section = Buffer.concat([Buffer.from([36, 0x01, 0x71, 0x12, 0x20]), Buffer.alloc(32)]);
  return Buffer.concat([header, ...Array.from({ length: 54_000 }, () => section)]);
}

function commitBlocks(): { blocksStart: number } {
  const read = readFrame(commitFrame({ seq: 1 }));
  if (read.kind !== "commit") throw new Error(read.kind);
  return read;
}
