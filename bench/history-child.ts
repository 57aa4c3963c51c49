/** Runs one contender over one repository in its own process; prints what it read, its CPU time and its largest rss as one line of JSON. */
import { createReadStream, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { systemClock } from "@firehose-backfill/core/clock";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { openByProof } from "@firehose-backfill/repos/open-repo";
import { readCar } from "@firehose-backfill/repos/read-car";
import { readSignedCommit } from "@firehose-backfill/repos/signed-commit";
import { createTreeBuilder } from "@firehose-backfill/repos/tree/tree-builder";
import { BlockTable } from "@firehose-backfill/repos/walk/block-table";
import { type WalkOptions, walkRanges } from "@firehose-backfill/repos/walk/walk-ranges";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import { readSource } from "./history-source.ts";

export interface HistoryLane {
  readonly contender: string;
  readonly carPath: string;
  readonly origin: string;
  readonly plcUrl: string;
  readonly did: string;
  /** The account's signing key; its curve is k256. */
  readonly keyHex: string;
  readonly collections: readonly string[];
  /** For the tree builders. */
  readonly rows: number;
}

const lane = JSON.parse(process.argv[2] ?? "null") as HistoryLane;
const { signal } = new AbortController();
const limits = { maxRecords: 100, maxBytes: 200_000 };

async function walk(options: Pick<WalkOptions, "commit" | "fetchBlocks" | "known">): Promise<number> {
  let records = 0;
  const { collections } = lane;
  for await (const range of walkRanges({ ...options, collections, after: null, sinceMs: null, limits, signal })) {
    records += range.records.length;
  }
  return records;
}

function* rows(): Generator<readonly [string, Uint8Array]> {
  for (let index = 0; index < lane.rows; index++) {
    const key = `app.bsky.feed.post/3${index.toString(32).padStart(12, "0")}`;
    yield [key, cidOf(Buffer.from(key))];
  }
}

/** As programs do that keep a copy with one call for each repository: the whole archive is fetched, and then read in memory. */
async function getRepo(): Promise<Uint8Array> {
  const response = await fetch(`${lane.origin}/xrpc/com.atproto.sync.getRepo?did=${lane.did}`);
  if (!response.ok) throw new Error(`getRepo: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function walkRecords(car: Uint8Array): Promise<number> {
  const { MemoryBlockstore, Repo, readCarWithRoot } = await import("@atproto/repo");
  const { root, blocks } = await readCarWithRoot(car);
  const repo = await Repo.load(new MemoryBlockstore(blocks), root);
  let records = 0;
  for await (const entry of repo.walkRecords()) records += entry.rkey === "" ? 0 : 1;
  return records;
}

const CONTENDERS: Readonly<Record<string, () => Promise<number>>> = {
  /** Only the hashes of all blocks, which every reader that checks them has to compute. */
  "own: archive read": async () => {
    let blocks = 0;
    const car = { maxBytes: 1e9, maxBlockBytes: 2e6, root: "required" } as const;
    await readCar(createReadStream(lane.carPath), car, () => {
      blocks += 1;
    });
    return blocks;
  },
  "own: archive walked": async () => {
    const known = new BlockTable();
    const car = { maxBytes: 1e9, maxBlockBytes: 2e6, root: "required" } as const;
    const { root } = await readCar(createReadStream(lane.carPath), car, (bytes, cid, _, end) =>
      known.put(bytes, cid, end),
    );
    const cid = root ?? new Uint8Array();
    const commit = readSignedCommit(known.get(cid) ?? new Uint8Array(), { did: lane.did, cid, nowMs: Date.now() });
    return await walk({ commit, known, fetchBlocks: () => Promise.reject(new Error("a block is missing")) });
  },
  "own: walked over HTTP": async () => {
    using polite = createPoliteClient({
      clock: systemClock,
      random: Math.random,
      resolveName: systemNames,
      userAgent: "bench/1",
      rules: { allowLoopback: true },
      requestsPerSecond: 1e6,
      states: hostTable(1),
      maxWaitMs: 1_000,
    });
    const opened = await openByProof(
      {
        client: createRepoClient(polite),
        repo: { origin: lane.origin, did: lane.did },
        key: { kind: "k256", bytes: Buffer.from(lane.keyHex, "hex") },
        nowMs: Date.now(),
        signal,
      },
      { collections: lane.collections, after: null },
    );
    return await walk(opened);
  },
  "own: source, one tick": () => readSource(lane.plcUrl, lane.did, Number.POSITIVE_INFINITY),
  "own: source, ticks of 2,400": () => readSource(lane.plcUrl, lane.did, 2_400),
  "@atcute/repo fromStream": async () => {
    const { fromStream } = await import("@atcute/repo");
    let records = 0;
    await using repo = fromStream(Readable.toWeb(createReadStream(lane.carPath)) as ReadableStream<Uint8Array>);
    for await (const entry of repo) records += entry.bytes.length > 0 ? 1 : 0;
    return records;
  },
  "@atcute/repo fromUint8Array": async () => {
    const { fromUint8Array } = await import("@atcute/repo");
    let records = 0;
    for (const entry of fromUint8Array(await readFile(lane.carPath))) records += entry.bytes.length > 0 ? 1 : 0;
    return records;
  },
  "@atproto/repo verifyRepoCar": async () => {
    const { verifyRepoCar } = await import("@atproto/repo");
    return (await verifyRepoCar(await readFile(lane.carPath), lane.did)).creates.length;
  },
  /** Reads the records without a check of hashes or of the tree. */
  "@atproto/repo walkRecords": async () => await walkRecords(await readFile(lane.carPath)),
  "getRepo loop, @atcute/repo": async () => {
    const { fromUint8Array } = await import("@atcute/repo");
    let records = 0;
    for (const entry of fromUint8Array(await getRepo())) records += entry.bytes.length > 0 ? 1 : 0;
    return records;
  },
  "getRepo loop, @atproto/repo walkRecords": async () => await walkRecords(await getRepo()),
  "getRepo loop, @atproto/repo verifyRepoCar": async () => {
    const { verifyRepoCar } = await import("@atproto/repo");
    return (await verifyRepoCar(await getRepo(), lane.did)).creates.length;
  },
  "own: tree built": async () => {
    const builder = createTreeBuilder();
    for (const [key, cid] of rows()) builder.add(key, cid);
    console.error(`    root ${cidToText(builder.finish())}`);
    return lane.rows;
  },
  "@atproto/repo: tree built": async () => {
    const { BlockMap, MemoryBlockstore, MST } = await import("@atproto/repo");
    const { CID } = await import("multiformats/cid");
    let tree = await MST.create(new MemoryBlockstore(new BlockMap()));
    for (const [key, cid] of rows()) tree = await tree.add(key, CID.decode(cid));
    console.error(`    root ${(await tree.getPointer()).toString()}`);
    return lane.rows;
  },
  "@atcute/mst: tree built": async () => {
    const { MemoryBlockStore, NodeStore, NodeWrangler, MSTNode } = await import("@atcute/mst");
    const store = new NodeStore(new MemoryBlockStore());
    const wrangler = new NodeWrangler(store);
    let root = await (await store.put(MSTNode.empty())).cid();
    for (const [key, cid] of rows()) {
      const link = { $link: cidToText(cid) };
      root = { $link: await wrangler.putRecord(root.$link, key, link) };
    }
    console.error(`    root ${root.$link}`);
    return lane.rows;
  },
};

/** Of this program only: the value of getrusage includes the parent's memory from before the fork. */
function rssMb(name: "VmHWM" | "VmRSS"): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024);
}

const contender = CONTENDERS[lane.contender];
if (contender === undefined) process.exit(2);
const rssBeforeMb = rssMb("VmRSS");
const startedMs = performance.now();
const startedCpu = process.cpuUsage();
const items = await contender();
const { user, system } = process.cpuUsage(startedCpu);
console.log(
  JSON.stringify({
    contender: lane.contender,
    items,
    seconds: Math.round(performance.now() - startedMs) / 1_000,
    cpuSeconds: Math.round((user + system) / 1_000) / 1_000,
    rssBeforeMb,
    rssMb: rssMb("VmHWM"),
  }),
);
process.exit(0);
