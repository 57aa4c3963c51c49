/** Walks over HTTP: what a fake PDS serves, as proved ranges, by the two ways a walk begins. */
import { readFile } from "node:fs/promises";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newSigner } from "../../../test/support/sign.ts";
import type { PoliteClient } from "./http/polite-client.ts";
import { keyAt, type OpenOptions, type OpenRepo, openByArchive, openByProof } from "./open-repo.ts";
import { type FakePds, startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { makeCar } from "@firehose-backfill/testing/repos/make-car";
import {
  ALICE,
  FIRST_REV,
  makeRepo,
  manyRecords,
  signCommit,
  type TestRepo,
  tidOf,
} from "@firehose-backfill/testing/repos/test-repo";
import { testClient } from "@firehose-backfill/testing/repos/clients";
import type { ProvedRange } from "./walk/proved-range.ts";
import { walkRanges } from "./walk/walk-ranges.ts";
import { createRepoClient, type RepoClient } from "./xrpc/repo-client.ts";

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";
const NOW_MS = Date.UTC(2026, 10, 28);
const signer = newSigner("k256");
const records = manyRecords(4_000, [LIKE, POST]);
const repo = makeRepo(records, { signer });

let pds: FakePds;
let polite: PoliteClient;
let client: RepoClient;
beforeAll(async () => {
  pds = await startFakePds([repo]);
  polite = testClient();
  client = createRepoClient(polite);
});
afterAll(async () => {
  polite[Symbol.dispose]();
  await pds[Symbol.asyncDispose]();
});
beforeEach(() => {
  pds.repos.set(ALICE, repo);
  pds.unavailable.clear();
  pds.intercept = null;
  pds.asked.length = 0;
});

const { signal } = new AbortController();
const open = (fields: Partial<OpenOptions> = {}): OpenOptions => ({
  client,
  repo: { origin: pds.origin, did: ALICE },
  key: signer.key,
  nowMs: NOW_MS,
  signal,
  ...fields,
});
async function walk(
  opened: OpenRepo,
  collections: readonly string[],
  after: string | null = null,
): Promise<ProvedRange[]> {
  const ranges: ProvedRange[] = [];
  const limits = { maxRecords: 100, maxBytes: 100_000 };
  for await (const range of walkRanges({ ...opened, collections, after, sinceMs: null, limits, signal }))
    ranges.push(range);
  return ranges;
}
const byProof = async (
  collections: readonly string[],
  after: string | null = null,
  fields: Partial<OpenOptions> = {},
) => walk(await openByProof(open(fields), { collections, after }), collections, after);
const keysOf = (ranges: readonly ProvedRange[]) => ranges.flatMap((range) => range.records.map(({ key }) => key));
const keysIn = (of: TestRepo, prefix = "") => of.records.map(({ key }) => key).filter((key) => key.startsWith(prefix));

describe("a walk that begins with a proof", () => {
  it("issue 15.2: brings one collection, in key order, in few requests", async () => {
    expect(keysOf(await byProof([POST]))).toEqual(keysIn(repo, POST));
    // 2,000 records and 670 nodes by 200, and a few on the way down.
    expect(pds.callsOf("getRecord")).toHaveLength(1);
    expect(pds.callsOf("getBlocks").length).toBeLessThanOrEqual(18);
    expect(pds.asked).toHaveLength(1 + pds.callsOf("getBlocks").length);
  });

  it.each(["aaa.bbb.ccc", "app.bsky.feed.mango", "zzz.yyy.xxx", "app.bsky.graph.*"])(
    "issue 15 bar: says that %s is absent in at most 2 requests",
    async (collection) => {
      const ranges = await byProof([collection]);
      expect(ranges).toMatchObject([{ did: ALICE, rev: FIRST_REV, records: [], isLast: true }]);
      expect(pds.asked.length).toBeLessThanOrEqual(2);
    },
  );

  it("issue 15.2: goes on at a key, also when the commit moved on", async () => {
    const first: ProvedRange[] = [];
    const opened = await openByProof(open(), { collections: [], after: null });
    const moved = makeRepo({ ...records, [`${POST}/zzz`]: { $type: POST } }, { signer, rev: tidOf(NOW_MS - 5_000) });
    const limits = { maxRecords: 100, maxBytes: 100_000 };
    const walking = (async () => {
      for await (const range of walkRanges({
        ...opened,
        collections: [],
        after: null,
        sinceMs: null,
        limits,
        signal,
      })) {
        first.push(range);
        // The old nodes are gone from the host with the new commit.
        if (first.length === 3) pds.repos.set(ALICE, moved);
      }
    })();
    await expect(walking).rejects.toMatchObject({ name: "MissingBlocksError" });
    const after = first.at(-1)?.to ?? null;
    const second = await byProof([], after);
    expect([...keysOf(first), ...keysOf(second)]).toEqual(keysIn(moved));
    expect(second[0]).toMatchObject({ from: after, rev: moved.rev });
    expect(second.at(-1)?.isLast).toBe(true);
  });

  it("goes on with fewer CIDs a request where a host takes fewer", async () => {
    pds.intercept = (request, response) => {
      if ((request.url ?? "").length < 6_500) return false;
      response.writeHead(431).end();
      return true;
    };
    expect(keysOf(await byProof([POST]))).toEqual(keysIn(repo, POST));
  });

  it("asks for the commit itself where a host refuses to prove the key", async () => {
    pds.intercept = (request, response) => {
      if (!(request.url ?? "").includes("getRecord")) return false;
      response.writeHead(400).end('{"error":"InvalidRequest","message":"no such key"}');
      return true;
    };
    expect(keysOf(await byProof([POST]))).toEqual(keysIn(repo, POST));
    expect(pds.callsOf("getLatestCommit")).toHaveLength(1);
  });

  it("an empty repository", async () => {
    pds.repos.set(ALICE, makeRepo({}, { signer }));
    expect(await byProof([])).toMatchObject([{ records: [], isLast: true }]);
  });
});

describe("a walk over an archive", () => {
  it("issue 15.1: is the same, whatever the order of the blocks, in one request", async () => {
    const opened = await openByArchive(open(), 10_000_000);
    expect(keysOf(await walk(opened, []))).toEqual(keysIn(repo));
    expect(await walk(opened, [LIKE])).toEqual(await byProof([LIKE]));
    expect(pds.callsOf("getRepo")).toHaveLength(1);
  });

  it("larger than it may be is given up, by name", async () => {
    await expect(openByArchive(open(), 200_000)).rejects.toMatchObject({ name: "ArchiveTooLargeError" });
  });

  it("issue 15.1: torn, without its commit", async () => {
    const blocks = repo.records.map(({ cid, bytes }) => ({ cid, bytes }));
    pds.intercept = (_, response) => {
      response.end(makeCar(repo.commit, blocks));
      return true;
    };
    await expect(openByArchive(open(), 10_000_000)).rejects.toMatchObject({ name: "TornArchiveError" });
  });

  it("issue 15.1: cut at a block's end, it is completed by what is missing", async () => {
    const listed = [...repo.blocks].map(([text, bytes]) => ({ text, cid: cidOf(bytes), bytes }));
    const commit = listed.filter(({ text }) => text === cidToText(repo.commit));
    pds.intercept = (request, response) => {
      if (!(request.url ?? "").includes("getRepo")) return false;
      response.end(makeCar(repo.commit, [...commit, ...listed.slice(0, 3_000)]));
      return true;
    };
    const opened = await openByArchive(open(), 10_000_000);
    expect(keysOf(await walk(opened, []))).toEqual(keysIn(repo));
    expect(pds.callsOf("getBlocks").length).toBeGreaterThan(5);
  });

  it("of a real host, from the fixtures, is walked whole and builds the same root", async () => {
    const { readCar } = await import("./read-car.ts");
    const { BlockTable } = await import("./walk/block-table.ts");
    const { readSignedCommit } = await import("./signed-commit.ts");
    const { treeRoot } = await import("./tree/tree-builder.ts");
    for (const name of ["empty.car", "tiny.car", "little.car"]) {
      const bytes = await readFile(new URL(`../fixtures/${name}`, import.meta.url));
      const known = new BlockTable();
      async function* once() {
        yield bytes;
      }
      const limits = { maxBytes: 1_000_000, maxBlockBytes: 1_000_000, root: "required" } as const;
      const { root, blocks } = await readCar(once(), limits, (from, cid, _, end) => known.put(from, cid, end));
      const block = known.get(root ?? new Uint8Array()) ?? Buffer.alloc(0);
      const did = /did:[a-z]+:[a-z0-9]+?(?=crev)/.exec(block.toString("latin1"))?.[0] ?? "";
      const commit = readSignedCommit(block, { did, cid: root ?? new Uint8Array(), nowMs: NOW_MS });
      const fetchBlocks = () => Promise.reject(new Error("nothing is missing"));
      const ranges = await walk({ commit, known, fetchBlocks }, []);
      const entries = ranges.flatMap((range) => range.records.map(({ key, cid }) => [key, cid] as const));
      expect(cidToText(treeRoot(entries))).toBe(cidToText(commit.data));
      expect(blocks).toBeGreaterThan(entries.length);
    }
  });
});

describe("a repository that is not to be had", () => {
  it.each([
    ["RepoNotFound", "not-found"],
    ["NotFound", "not-found"],
    ["RepoDeactivated", "deactivated"],
    ["RepoTakendown", "takendown"],
    ["RepoSuspended", "suspended"],
  ])("issue 15.5: %s is final: %s", async (code, state) => {
    pds.unavailable.set(ALICE, code);
    for (const opening of [openByProof(open(), { collections: [], after: null }), openByArchive(open(), 1_000_000)]) {
      await expect(opening).rejects.toMatchObject({ name: "RepoUnavailableError", state });
    }
    await expect(client.getBlocks({ origin: pds.origin, did: ALICE }, [repo.data], signal)).rejects.toMatchObject({
      name: "RepoUnavailableError",
    });
  });

  it.each([
    ["HTML", 403, "<html>forbidden</html>", { name: "XrpcError", status: 403, code: "" }],
    ["an error of its own", 400, '{"error":"Odd","message":"x"}', { name: "XrpcError", status: 400, code: "Odd" }],
    ["JSON of another kind", 400, "[1]", { name: "XrpcError", status: 400, code: "" }],
    ["a 5xx", 503, "", { name: "HostError", trouble: "bad-answer" }],
    ["a 429", 429, "<html>", { name: "HostError", trouble: "rate-limited" }],
  ])("%s is named", async (_, status, body, expected) => {
    await using own = await startFakePds([repo]);
    own.intercept = (__, response) => {
      response.writeHead(status).end(body);
      return true;
    };
    const opening = openByArchive(open({ repo: { origin: own.origin, did: ALICE } }), 1_000_000);
    await expect(opening).rejects.toMatchObject(expected);
  });
});

describe("a commit that is not the account's", () => {
  it.each<[string, () => TestRepo, object]>([
    ["signed with another key", () => makeRepo(records, { signer: newSigner("p256") }), { reason: "bad-signature" }],
    [
      "more than 5 minutes ahead",
      () => makeRepo(records, { signer, rev: tidOf(NOW_MS + 300_001) }),
      { reason: "rev-in-future" },
    ],
    [
      "of another account",
      () => {
        const block = signCommit({ did: "did:plc:bobbobbobbobbobbobbobbo2", rev: FIRST_REV, data: repo.data }, signer);
        const commit = cidOf(block);
        return { ...repo, commit, blocks: new Map([...repo.blocks, [cidToText(commit), block]]) };
      },
      { reason: "wrong-repo" },
    ],
  ])("issue 15.1: %s", async (_, make, expected) => {
    pds.repos.set(ALICE, make());
    await expect(openByProof(open(), { collections: [], after: null })).rejects.toMatchObject({
      name: "BadRepoError",
      ...expected,
    });
    await expect(openByArchive(open(), 10_000_000)).rejects.toMatchObject({ name: "BadRepoError", ...expected });
  });

  it("issue 15.1: a block that is not its CID's", async () => {
    const first = repo.records[0];
    const text = cidToText(first?.cid ?? new Uint8Array());
    pds.repos.set(ALICE, { ...repo, blocks: new Map([...repo.blocks, [text, Buffer.from([0xa0])]]) });
    await expect(byProof([])).rejects.toMatchObject({ name: "BadRepoError", reason: "hash-mismatch" });
  });
});

describe("where a walk begins", () => {
  it.each([
    ["", "a.a.a/-"],
    ["app.bsky.feed.post/", "app.bsky.feed.post/-"],
    ["app.bsky.feed.post/abc", "app.bsky.feed.post/abc"],
    ["app.bsky.feed.post0", "app.bsky.feed.post0/-"],
    ["app.bsky.", "app.bsky.a/-"],
    ["app.bsky.feed.", "app.bsky.feed/-"],
  ])("%s: at %s", (from, key) => {
    expect(keyAt(from)).toBe(key);
  });
});
