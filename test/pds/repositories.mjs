/**
 * Repositories of a real PDS, walked by packages/repos: by proof and blocks, and over the archive; while they are written to; and after their account
 * has gone. What a walk says is compared with what the PDS answers over XRPC.
 */
import assert from "node:assert/strict";
import { systemClock } from "@firehose-backfill/core/clock";
import { cidToText } from "@firehose-backfill/core/cid";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { openByArchive, openByProof } from "@firehose-backfill/repos/open-repo";
import { treeRoot } from "@firehose-backfill/repos/tree/tree-builder";
import { walkRanges } from "@firehose-backfill/repos/walk/walk-ranges";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";
/** Writes in one call, at most. */
const BATCH = 200;

/**
 * @param {{ url: string, plcUrl: string }} network
 * @param {ReturnType<import("./client.mjs").connectTo>} pds
 * @param {number} count records of the large repository
 * @returns {readonly (readonly [string, () => Promise<void>])[]}
 */
export function repositoryChecks(network, pds, count) {
  const common = { clock: systemClock, random: Math.random, userAgent: "test/1", resolveName: systemNames };
  const dids = openDidClient({ ...common, plcUrl: network.plcUrl });
  const polite = createPoliteClient({
    ...common,
    rules: { allowLoopback: true },
    requestsPerSecond: 1_000,
    states: hostTable(10),
    maxWaitMs: 5_000,
  });
  const client = createRepoClient(polite);
  const { signal } = new AbortController();
  let account;

  const options = async () => {
    const document = await dids.resolveDid(account.did);
    assert.ok(document?.key, "the directory knows no signing key");
    return { client, repo: { origin: document.pds, did: account.did }, key: document.key, nowMs: Date.now(), signal };
  };
  const walk = async (opened, collections, after = null, onRange = async () => {}) => {
    const ranges = [];
    const limits = { maxRecords: 100, maxBytes: 200_000 };
    for await (const range of walkRanges({ ...opened, collections, after, sinceMs: null, limits, signal })) {
      ranges.push(range);
      await onRange(range);
    }
    return ranges;
  };
  const rowsOf = (ranges) =>
    new Map(ranges.flatMap((range) => range.records.map(({ key, cid }) => [key, cidToText(cid)])));
  const told = async (prefix = "") => {
    const { records } = await pds.listRepo(account.did);
    return new Map([...records].filter(([key]) => key.startsWith(prefix)).map(([key, { cid }]) => [key, cid]));
  };
  const sorted = (rows) => [...rows].sort(([left], [right]) => (left < right ? -1 : 1));
  const write = async (writes) => {
    for (let at = 0; at < writes.length; at += BATCH) {
      const body = { repo: account.did, validate: false, writes: writes.slice(at, at + BATCH) };
      await account.call("com.atproto.repo.applyWrites", body);
    }
  };
  const create = (collection, rkey, text) => ({
    $type: "com.atproto.repo.applyWrites#create",
    collection,
    rkey,
    value: { $type: collection, text, createdAt: "2026-01-01T00:00:00.000Z" },
  });
  const remove = (collection, rkey) => ({ $type: "com.atproto.repo.applyWrites#delete", collection, rkey });

  return [
    [
      "an empty repository",
      async () => {
        account = await pds.createAccount("walked.test");
        const ranges = await walk(await openByProof(await options(), { collections: [], after: null }), []);
        assert.deepEqual(sorted(rowsOf(ranges)), sorted(await told()));
      },
    ],
    [
      `${count} records, by proof and by archive, are what listRecords says, and their root is the commit's`,
      async () => {
        const name = (index) => `r${String(index).padStart(6, "0")}`;
        // Every tenth has the bytes of another one: a block at two paths.
        await write(
          Array.from({ length: count }, (_, index) =>
            create(index % 3 === 0 ? LIKE : POST, name(index), index % 10 === 0 ? "the same" : `number ${index}`),
          ),
        );
        const byProof = await openByProof(await options(), { collections: [], after: null });
        const ranges = await walk(byProof, []);
        const expected = sorted(await told());
        assert.deepEqual(sorted(rowsOf(ranges)), expected);
        const archive = await walk(await openByArchive(await options(), 100_000_000), []);
        assert.deepEqual(sorted(rowsOf(archive)), expected);
        const entries = ranges.flatMap((range) => range.records.map(({ key, cid }) => [key, cid]));
        assert.equal(cidToText(treeRoot(entries)), cidToText(byProof.commit.data));
      },
    ],
    [
      "one collection, and one that is not there",
      async () => {
        const likes = await walk(await openByProof(await options(), { collections: [LIKE], after: null }), [LIKE]);
        assert.deepEqual(sorted(rowsOf(likes)), sorted(await told(`${LIKE}/`)));
        const none = ["app.bsky.graph.block"];
        const ranges = await walk(await openByProof(await options(), { collections: none, after: null }), none);
        assert.deepEqual([ranges.length, ranges[0]?.records.length], [1, 0]);
      },
    ],
    [
      "written to and deleted from during the walk: what is behind the walk is as it was, what is before it as it is",
      async () => {
        const before = await told();
        const ranges = [];
        let commits = 0;
        for (let after = null; ranges.at(-1)?.isLast !== true; after = ranges.at(-1)?.to ?? null) {
          const opened = await openByProof(await options(), { collections: [], after });
          commits += 1;
          await walk(opened, [], after, async (range) => {
            ranges.push(range);
            if (ranges.length !== 3) return;
            const inOrder = sorted(before).map(([key]) => key);
            const [first = "", last = ""] = [inOrder[0], inOrder.at(-1)];
            await write([
              remove(...first.split("/")),
              remove(...last.split("/")),
              create(POST, "zz-new", "made during the walk"),
            ]);
          }).catch((error) => {
            if (error.name !== "MissingBlocksError") throw error;
          });
        }
        assert.ok(commits >= 2, "the walk never met a newer commit");
        const turned = ranges.find(({ rev }) => rev !== ranges[0].rev)?.from ?? "";
        const after = await told();
        const expected = [
          ...[...before].filter(([key]) => key <= turned),
          ...[...after].filter(([key]) => key > turned),
        ];
        assert.deepEqual(sorted(rowsOf(ranges)), sorted(expected));
      },
    ],
    [
      "a deactivated account is final, and says so",
      async () => {
        await account.call("com.atproto.server.deactivateAccount", {});
        await assert.rejects(openByArchive(await options(), 1_000_000), {
          name: "RepoUnavailableError",
          state: "deactivated",
        });
        await assert.rejects(openByProof(await options(), { collections: [], after: null }), {
          name: "RepoUnavailableError",
        });
        polite[Symbol.dispose]();
        dids[Symbol.dispose]();
      },
    ],
  ];
}
