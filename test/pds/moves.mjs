/**
 * Repositories that came from elsewhere, and one that leaves in the middle of a walk: two real PDSes and the directory. What the source says, and what the program
 * writes into its tables, is compared with what the PDS answers over XRPC that has the account now.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { cidToText } from "@firehose-backfill/core/cid";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { newStoredRun, readAll, testKit, tick } from "@firehose-backfill/testing/repos/reading";
import { canonicalText } from "../support/atproto-json.ts";
import { connectTo } from "./client.mjs";
import { archiveOf, recordsOf } from "./make-repo.mjs";
import { openTables, runBackfill } from "./program.mjs";

const COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.like"];
/** Of an account that moves: no archive, and a few requests. */
const MOVED = 1_500;
/** 100,000 records, on a machine that does other things, too. */
const RUN_TIMEOUT_MS = 900_000;

/**
 * @param {import("./network.mjs").Network} network
 * @param {string} folder
 * @param {number} large records of the largest repository
 * @returns {readonly (readonly [string, () => Promise<void>])[]}
 */
export function moveChecks(network, folder, large) {
  const old = connectTo(network.url);
  /** @type {{ did: string, at: ReturnType<typeof connectTo> }[]} */
  const accounts = [];
  let elsewhere;

  /** An account of the first PDS, with so many records, which came in one revision. */
  const imported = async (name, count) => {
    const account = await old.createAccount(name);
    const key = await network.first.keyOf(account.did);
    await account.importRepo(await archiveOf(account.did, key, recordsOf(count, COLLECTIONS)));
    return account;
  };
  /** As a migration does: the new PDS is told to take it, imports the archive, and is named in the document. */
  const move = async (account) => {
    elsewhere ??= await network.addPds(join(folder, "elsewhere"));
    const lxm = "com.atproto.server.createAccount";
    const { token } = await account.query("com.atproto.server.getServiceAuth", { aud: elsewhere.did, lxm });
    const at = connectTo(elsewhere.url);
    const there = await at.createAccount(account.handle, { did: account.did, token });
    await there.importRepo(await old.getRepo(account.did));
    await network.first.handOver(account.did, elsewhere);
    await there.call("com.atproto.server.activateAccount");
    await account.call("com.atproto.server.deactivateAccount", {});
    return { there, at };
  };
  const cidsOf = async (at, did) => {
    const { records } = await at.listRepo(did);
    return [...records].map(([path, { cid }]) => `${path} ${cid}`).toSorted();
  };
  const told = (events) =>
    events
      .filter(({ kind }) => kind === "record")
      .map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cidToText(cid)}`)
      .toSorted();
  const newKit = () => testKit({ plcUrl: network.plcUrl, resolveName: systemNames });

  return [
    [
      `issue 15.9: ${large} records that were imported in one revision, some of them with the same bytes`,
      async () => {
        const { did } = await imported("large.test", large);
        accounts.push({ did, at: old });
        const { events } = await readAll(newKit(), newStoredRun(), { env: { BACKFILL_DIDS: did } });
        const expected = await cidsOf(old, did);
        assert.equal(expected.length, large);
        assert.deepEqual(told(events), expected);
      },
    ],
    [
      "issue 15.9: an account that has moved to another PDS, and has not written there: its commit has the old key's signature",
      async () => {
        const account = await imported("moved.test", 300);
        const { at } = await move(account);
        accounts.push({ did: account.did, at });
        const { events } = await readAll(newKit(), newStoredRun(), { env: { BACKFILL_DIDS: account.did } });
        assert.deepEqual(told(events), await cidsOf(at, account.did));
      },
    ],
    [
      "issue 15.9: an account that moves between two PDSes in the middle of a walk, and writes there",
      async () => {
        const account = await imported("moving.test", MOVED);
        const env = { BACKFILL_DIDS: account.did };
        const [run, kit] = [newStoredRun(), newKit()];
        const before = await tick(kit, run, { env, limits: { maxEvents: 500 }, windows: 1 });
        const soFar = told(before.events).length;
        assert.ok(soFar > 300 && soFar <= 500, `${soFar} records before the move`);
        const { there, at } = await move(account);
        // Behind the walk and before it: the first is for the next walk.
        const paths = (await cidsOf(at, account.did)).map((row) => row.split(" ")[0]);
        const last = paths.at(-1).split("/");
        const writes = [
          { $type: "com.atproto.repo.applyWrites#delete", collection: last[0], rkey: last[1] },
          {
            $type: "com.atproto.repo.applyWrites#create",
            collection: COLLECTIONS[0],
            rkey: "zz-new",
            value: { $type: COLLECTIONS[0], text: "made at the new host", createdAt: "2026-01-01T00:00:00.000Z" },
          },
        ];
        await there.call("com.atproto.repo.applyWrites", { repo: account.did, validate: false, writes });
        accounts.push({ did: account.did, at });
        const after = await readAll(kit, run, { env });
        const events = [...before.events, ...after.events];
        assert.deepEqual(
          events.filter(({ kind }) => kind !== "record" && kind !== "range"),
          [],
        );
        assert.deepEqual(told(events), await cidsOf(at, account.did));
        const ranges = events.filter(({ kind }) => kind === "range");
        assert.equal(new Set(ranges.map(({ rev }) => rev)).size, 2);
        for (const [index, range] of ranges.entries()) if (index > 0) assert.equal(range.from, ranges[index - 1].to);
      },
    ],
    [
      "issue 15.9: the program's rows of all of them are what listRecords says, values included",
      async () => {
        const dataDir = join(folder, "of-repositories");
        const { code, stdout, stderr } = await runBackfill({
          relayUrl: network.relayUrl,
          dataDir,
          timeoutMs: RUN_TIMEOUT_MS,
          env: {
            BACKFILL_SOURCE: "repos",
            BACKFILL_DIDS: accounts.map(({ did }) => did).join(","),
            BACKFILL_PLC_URL: network.plcUrl,
            BACKFILL_HOST_RATE: "8",
            BACKFILL_BATCH_SIZE: "500",
            BACKFILL_MAX_CONCURRENT: "4",
            BACKFILL_DB_POOL_SIZE: "5",
          },
        });
        assert.equal(code, 0, stderr.slice(-3_000));
        const final = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
        assert.deepEqual([final.status, final.dead, final.repos.done], ["succeeded", 0, accounts.length]);
        await using tables = await openTables(dataDir);
        let compared = 0;
        for (const { did, at } of accounts) {
          const rows = await tables.query(
            "select collection || '/' || rkey as path, cid, record::text as record from firehose.live_records where did = $1",
            [did],
          );
          const lines = rows.map(({ path, cid, record }) => `${path} ${cid} ${canonicalText(JSON.parse(record))}`);
          const { records } = await at.listRepo(did);
          const expected = [...records].map(([path, { cid, value }]) => `${path} ${cid} ${canonicalText(value)}`);
          assert.deepEqual(lines.toSorted(), expected.toSorted());
          compared += expected.length;
        }
        const [{ total }] = await tables.query(
          "select count(*)::int as total from firehose.records where cid is not null",
        );
        assert.equal(total, compared);
      },
    ],
  ];
}
