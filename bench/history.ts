/**
 * Reads a whole repository: our walk over an archive and over HTTP, compared with libraries that read repositories; and builds trees from
 * sorted rows, compared with libraries that build them. One process for each contender and round; medians.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cidFromText } from "@firehose-backfill/core/cid";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeCar } from "@firehose-backfill/testing/repos/make-car";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { buildChild } from "./built-lanes.ts";
import type { HistoryLane } from "./history-child.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

interface Figures {
  readonly contender: string;
  readonly items: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Before it reads, and at most. */
  readonly rssBeforeMb: number;
  readonly rssMb: number;
}

const READERS = [
  "own: archive read",
  "own: archive walked",
  "own: walked over HTTP",
  "own: source, one tick",
  "own: source, ticks of 2,400",
  "@atcute/repo fromStream",
  "@atcute/repo fromUint8Array",
  "@atproto/repo walkRecords",
  "@atproto/repo verifyRepoCar",
  "getRepo loop, @atcute/repo",
  "getRepo loop, @atproto/repo walkRecords",
  "getRepo loop, @atproto/repo verifyRepoCar",
];
export const BUILDERS = ["own: tree built", "@atproto/repo: tree built", "@atcute/mst: tree built"];
const COLLECTIONS = ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.graph.follow"];
const run = promisify(execFile);

export const history: Benchmark = {
  summary: "a repository walked, trees built, beside the libraries [--records N] [--rows N] [--rounds N]",
  async run(args) {
    const options = numbersOf(args, { records: 100_000, rows: 100_000, rounds: 3 });
    console.error(`making a repository of ${options.records} records`);
    const repo = makeRepo(withText(manyRecords(options.records, COLLECTIONS)));
    await using pds = await startFakePds([repo]);
    await using plc = await startFakePlc();
    plc.put(repo, pds.origin);
    const folder = await mkdtemp(join(tmpdir(), "history-"));
    try {
      const carPath = join(folder, "repo.car");
      const cids = [...repo.blocks.keys()].sort().toReversed();
      const blocks = cids.flatMap((text) => {
        const cid = cidFromText(text);
        const bytes = repo.blocks.get(text);
        return cid === null || bytes === undefined ? [] : [{ cid, bytes }];
      });
      const car = makeCar(repo.commit, blocks);
      await writeFile(carPath, car);
      const keyHex = Buffer.from(repo.signer.key.bytes).toString("hex");
      const lane = {
        carPath,
        origin: pds.origin,
        plcUrl: plc.origin,
        did: repo.did,
        keyHex,
        collections: [],
        rows: options.rows,
      };
      const figures: Figures[] = [];
      for (const contender of [...READERS, ...BUILDERS])
        figures.push(await measure({ ...lane, contender }, options.rounds));
      pds.asked.length = 0;
      const [collection = ""] = COLLECTIONS;
      const one = await measure({ ...lane, contender: "own: walked over HTTP", collections: [collection] }, 1);
      const oneRequests = pds.asked.length;
      pds.asked.length = 0;
      await measure({ ...lane, contender: "own: walked over HTTP", collections: ["zzz.yyy.xxx"] }, 1);
      return {
        ...options,
        archiveMb: Math.round(car.length / 10_000) / 100,
        figures,
        requests: {
          "per 1,000 records of one collection": Math.round((oneRequests / one.items) * 100_000) / 100,
          "for an absent collection": pds.asked.length,
        },
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** A typical record of the network is about 225 bytes long. */
function withText(records: Record<string, unknown>): Record<string, unknown> {
  const createdAt = "2025-02-06T01:05:06.528Z";
  const entries = Object.entries(records).map(([key, record], index) => {
    const fields = typeof record === "object" ? record : {};
    return [key, { ...fields, text: `record ${index}: ${"words ".repeat(17)}`, createdAt, langs: ["en"] }] as const;
  });
  return Object.fromEntries(entries);
}

/** With the small young generation of the functions, because V8 would otherwise use up to 100 MB for it. */
let built: Promise<string> | null = null;

export async function measure(lane: HistoryLane, rounds: number): Promise<Figures> {
  const child = await (built ??= buildChild("history-child"));
  const results: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await run(process.execPath, ["--max-semi-space-size=4", child, JSON.stringify(lane)], {
      maxBuffer: 2 ** 20,
    });
    results.push(JSON.parse(stdout) as Figures);
  }
  const [median] = results.toSorted((left, right) => left.cpuSeconds - right.cpuSeconds).slice(Math.floor(rounds / 2));
  if (median === undefined) throw new Error("no round was measured");
  const rate = Math.round(median.items / median.cpuSeconds);
  console.error(
    `  ${lane.contender.padEnd(42)} ${median.items} items, ${median.cpuSeconds} s CPU, ${rate}/s, ${median.rssMb} MB`,
  );
  return median;
}
