/** Deliberate faults in a copy, on a real Postgres beside a PDS and a directory on loopback: each is found, and nothing else is. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { systemClock } from "@firehose-backfill/core/clock";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { auditHere, type AuditHereOptions } from "@firehose-backfill/server/audit-here";
import { ALICE, makeRepo, manyRecords, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { applyTo, query, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { describe, expect, it } from "vitest";
import { copyOf, didOf, rowsOf, startNetwork, type Network } from "./network.ts";

const COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.post-x", "app.bsky.feed.like"];
const at = useSink({ poolSize: 2 });

async function audit({ directory }: Pick<Network, "directory">, options: Partial<AuditHereOptions> = {}) {
  return await auditHere({
    config: parseConfig({
      DATABASE_URL: at.databaseUrl,
      BACKFILL_PLC_URL: directory.origin,
      BACKFILL_HOST_RATE: "8",
      RELAY_URL: "sample",
    }),
    repositories: { kind: "all" },
    collections: [],
    after: null,
    clock: systemClock,
    random: Math.random,
    onProgress: () => undefined,
    onWaiting: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

const path = (row: { readonly collection: string; readonly rkey: string }) => `${row.collection}/${row.rkey}`;

describe("a copy with a fault", () => {
  const repo = makeRepo(manyRecords(500, COLLECTIONS));
  const rows = rowsOf(repo);
  const fourth = rows.filter(({ collection }) => collection === "app.bsky.feed.post")[3];
  if (fourth === undefined) throw new Error("there are posts");
  const where = `did = '${ALICE}' AND collection = '${fourth.collection}' AND rkey = '${fourth.rkey}'`;
  const insert = (rkey: string, cid: string) =>
    `INSERT INTO firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
     VALUES ('${ALICE}', 'app.bsky.feed.post', '${rkey}', '${cid}', '${repo.rev}', 9, '{}', now())`;
  const another = cidToText(cidOf(Buffer.from("another")));

  it.each([
    ["none", "SELECT 1", { equal: 1 }, {}],
    ["a row removed", `DELETE FROM firehose.records WHERE ${where}`, { differing: 1 }, { missing: [path(fourth)] }],
    [
      "a row altered",
      `UPDATE firehose.records SET cid = '${another}' WHERE ${where}`,
      { differing: 1 },
      { other: [path(fourth)] },
    ],
    [
      "a row made a tombstone",
      `UPDATE firehose.records SET cid = NULL, record = NULL WHERE ${where}`,
      { differing: 1 },
      { missing: [path(fourth)] },
    ],
    [
      "a row added",
      insert("3zzzzzzzzzzz2", another),
      { differing: 1 },
      { extra: ["app.bsky.feed.post/3zzzzzzzzzzz2"] },
    ],
    [
      "a row added that no repository can hold",
      insert("é/x", another),
      { differing: 1 },
      { extra: ["app.bsky.feed.post/é/x"] },
    ],
    [
      "all rows removed",
      "DELETE FROM firehose.records",
      { differing: 1 },
      { missing: repo.records.map(({ key }) => key) },
    ],
  ])("issue 16.5: %s is found", async (_, fault, counts, differences) => {
    await using network = await startNetwork([repo]);
    await copyOf(at.sink, [repo]);
    await sqlOn(at.sink, fault);
    const report = await audit(network);
    expect(report).toMatchObject({ audited: 1, equal: 0, behind: 0, differing: 0, unreachable: 0, ...counts });
    const { equal, repos } = report;
    expect(repos).toHaveLength(1 - equal);
    const found = repos.map(({ did, rev, copyRev, verdict, missing, extra, other }) => {
      return { did, rev, copyRev, verdict, missing: missing.toSorted(), extra, other };
    });
    const { rev } = repo;
    const nothing = { did: ALICE, rev, copyRev: rev, verdict: "differing", missing: [], extra: [], other: [] };
    expect(found).toEqual(equal === 1 ? [] : [{ ...nothing, ...differences }]);
  });

  it("issue 16.5: a deleted record brought back is found", async () => {
    const before = manyRecords(300, COLLECTIONS);
    const [gone = ""] = Object.keys(before);
    const old = makeRepo(before);
    const now = makeRepo(Object.fromEntries(Object.entries(before).filter(([key]) => key !== gone)), {
      rev: tidOf(1_750_000_000_000),
      signer: old.signer,
    });
    await using network = await startNetwork([now]);
    await copyOf(at.sink, [old]);
    const row = rowsOf(old).find((one) => path(one) === gone);
    if (row === undefined) throw new Error("there is a row");
    await applyTo(at.sink, [{ ...row, action: "delete", cid: null, json: null, rev: now.rev, seq: 1_000 }]);
    expect(await audit(network)).toMatchObject({ audited: 1, equal: 1 });
    // Without its tombstone an old event brings it back.
    await sqlOn(at.sink, "DELETE FROM firehose.records WHERE cid IS NULL");
    await applyTo(at.sink, [row]);
    const report = await audit(network);
    expect(report).toMatchObject({ differing: 1, repos: [{ extra: [gone], missing: [], other: [] }] });
  });

  it("issue 16.5: every fault is found in a copy of some collections, and others are not looked at", async () => {
    await using network = await startNetwork([repo]);
    await copyOf(at.sink, [repo]);
    const collections = ["app.bsky.feed.post"];
    await sqlOn(at.sink, "DELETE FROM firehose.records WHERE collection = 'app.bsky.feed.like'");
    const equal = await audit(network, { collections });
    expect(equal).toMatchObject({ equal: 1, scope: { repos: "all", collections } });
    expect(network.pds.asked.length).toBeLessThan(12);
    await sqlOn(at.sink, `DELETE FROM firehose.records WHERE ${where}`);
    await sqlOn(at.sink, insert("3zzzzzzzzzzz2", another));
    const report = await audit(network, { collections });
    expect(report).toMatchObject({
      differing: 1,
      repos: [{ missing: [path(fourth)], extra: ["app.bsky.feed.post/3zzzzzzzzzzz2"] }],
    });
  });
});

describe("a repository that went on", () => {
  const records = manyRecords(200, COLLECTIONS);
  const [first = ""] = Object.keys(records);
  const added = "app.bsky.feed.post/3zzzzzzzzzzz2";
  const old = makeRepo(records);
  const { [first]: gone, ...kept } = records;
  const now = makeRepo({ ...kept, [added]: { new: true } }, { rev: tidOf(1_750_000_000_000), signer: old.signer });

  async function auditOfOld(fault: string) {
    await using network = await startNetwork([now]);
    network.pds.earlier.set(`${ALICE} ${old.rev}`, old);
    await copyOf(at.sink, [old]);
    await sqlOn(at.sink, fault);
    return await audit(network);
  }

  it("issue 16.4: a copy that lacks the last commit is behind, and what it lacks is named", async () => {
    expect(gone).toBeDefined();
    expect(await auditOfOld("SELECT 1")).toMatchObject({
      behind: 1,
      differing: 0,
      repos: [{ rev: now.rev, copyRev: old.rev, missing: [added], extra: [first], other: [] }],
    });
  });

  it("issue 16.4: a fault that was there before is told from what a copy that is behind lacks", async () => {
    const third = rowsOf(old)[100];
    if (third === undefined) throw new Error("there is a row");
    const report = await auditOfOld(
      `DELETE FROM firehose.records WHERE collection = '${third.collection}' AND rkey = '${third.rkey}'`,
    );
    expect(report).toMatchObject({ behind: 0, differing: 1, repos: [{ verdict: "differing", extra: [first] }] });
    expect(report.repos[0]?.missing.toSorted()).toEqual([path(third), added].sort());
    expect(report.repos[0]?.reason).toContain("1 of these");
  });
});

it("issue 16.4: a copy and its accounts in every state", async () => {
  const repos = Array.from({ length: 8 }, (_, index) => makeRepo(manyRecords(50, COLLECTIONS), { did: didOf(index) }));
  const dids = repos.map(({ did }) => did).sort();
  await using network = await startNetwork(repos);
  await copyOf(at.sink, repos);
  network.pds.unavailable.set(dids[0] ?? "", "RepoDeactivated");
  network.directory.accounts.delete(dids[1] ?? "");
  network.directory.accounts.set(dids[2] ?? "", {
    key: repos[0]?.signer.key ?? { kind: "k256", bytes: new Uint8Array(33) },
    pds: "http://localhost:1",
  });
  await query(at.databaseUrl, `DELETE FROM firehose.records WHERE did = '${dids[3]}' AND rkey < '3k'`);
  const report = await audit(network);
  expect(report).toMatchObject({ audited: 8, inactive: 2, unreachable: 1, differing: 1, equal: 4, behind: 0 });
  expect(report.repos.map(({ did, verdict }) => [did, verdict])).toEqual([
    [dids[0], "inactive"],
    [dids[1], "inactive"],
    [dids[2], "unreachable"],
    [dids[3], "differing"],
  ]);
  expect(report).toMatchObject({ isComplete: true, after: dids[7], confidence: null });
});
