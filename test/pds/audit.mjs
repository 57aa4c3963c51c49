/** The copy of a real PDS, audited as a user does: by the command, with no process running. Then with faults in it, each of which it must name. */
import assert from "node:assert/strict";
import { openTables, runBackfill } from "./program.mjs";

/**
 * @param {object} given
 * @param {{ relayUrl: string, plcUrl: string }} given.network
 * @param {string} given.dataDir of a run that has ended
 * @param {import("./scenario.mjs").Act} given.act
 * @returns {readonly (readonly [string, () => Promise<void>])[]} by name
 */
export function auditChecks({ network, dataDir, act }) {
  const { live, deadPaths } = act;
  // Of a deleted account the PDS keeps no event, so nothing of it was applied.
  const hidden = act.hidden.filter(({ status }) => status !== "deleted");
  /** What Postgres cannot hold is missing in the copy. */
  const missing = pathsByDid(deadPaths);
  const audit = async () => {
    const { code, stdout, stderr } = await runBackfill({
      relayUrl: network.relayUrl,
      dataDir,
      args: ["audit", "--all", "--json"],
      env: { BACKFILL_PLC_URL: network.plcUrl, BACKFILL_HOST_RATE: "8" },
    });
    assert.notEqual(stdout, "", `exit ${code}; stderr ends:\n${stderr.slice(-3000)}`);
    return { code, report: JSON.parse(stdout) };
  };
  return [
    [
      "issue 16.5: the audit of every repository is equal, but for what is dead",
      async () => {
        const { code, report } = await audit();
        const { audited, equal, behind, differing, unreachable, inactive } = report;
        const differ = missing.size;
        assert.deepEqual(
          { audited, equal, behind, differing, unreachable, inactive },
          {
            audited: live.length + hidden.length,
            equal: live.length - differ,
            behind: 0,
            differing: differ,
            unreachable: 0,
            inactive: hidden.length,
          },
          JSON.stringify(report.repos),
        );
        assert.equal(code, differ === 0 ? 0 : 3);
        const found = report.repos.filter(({ verdict }) => verdict === "differing");
        assert.deepEqual(new Map(found.map((repo) => [repo.did, differencesOf(repo)])), expectedOf(missing));
      },
    ],
    [
      "issue 16.5: a row removed, one altered, one added and a deleted record brought back are found",
      async () => {
        const [did, other] = live;
        const faults = await makeFaults(dataDir, did);
        const { code, report } = await audit();
        assert.equal(code, 3);
        const repo = report.repos.find((one) => one.did === did);
        const alsoDead = missing.get(did) ?? [];
        assert.deepEqual(differencesOf(repo), {
          ...faults,
          missing: [...faults.missing, ...alsoDead].toSorted(byText),
        });
        assert.equal(
          report.repos.find((one) => one.did === other && !missing.has(other)),
          undefined,
        );
      },
    ],
  ];
}

/** @returns {Promise<{ missing: string[], extra: string[], other: string[] }>} what the audit must say */
async function makeFaults(dataDir, did) {
  await using tables = await openTables(dataDir);
  const rowsWhere = (condition) =>
    tables.query(
      `select collection, rkey, collection || '/' || rkey as path from firehose.records where did = $1 and ${condition} order by path`,
      [did],
    );
  const [removed, altered, ...rest] = await rowsWhere("cid is not null");
  const [gone] = await rowsWhere("cid is null");
  assert.ok(removed && altered && gone && rest.length > 0, "the account has too few rows");
  const on = ({ collection, rkey }) => [did, collection, rkey];
  const where = "where did = $1 and collection = $2 and rkey = $3";
  const source =
    "(select cid from firehose.records where did = $1 and cid is not null order by collection desc, rkey desc limit 1)";
  await tables.query(`delete from firehose.records ${where}`, on(removed));
  await tables.query(`update firehose.records set cid = ${source} ${where}`, on(altered));
  await tables.query(`update firehose.records set cid = ${source}, record = '{}' ${where}`, on(gone));
  await tables.query(
    `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
     select did, 'com.example.added', 'never', cid, rev, seq, record, indexed_at from firehose.records ${where}`,
    on(altered),
  );
  return {
    missing: [removed.path],
    extra: [gone.path, "com.example.added/never"].toSorted(byText),
    other: [altered.path],
  };
}

/** @param {readonly string[]} paths `did/collection/rkey` */
function pathsByDid(paths) {
  const byDid = new Map();
  for (const path of paths) {
    const slash = path.indexOf("/");
    const did = path.slice(0, slash);
    byDid.set(did, [...(byDid.get(did) ?? []), path.slice(slash + 1)]);
  }
  return byDid;
}

function expectedOf(missing) {
  return new Map([...missing].map(([did, paths]) => [did, { missing: paths.toSorted(byText), extra: [], other: [] }]));
}

function differencesOf({ missing, extra, other }) {
  return { missing: missing.toSorted(byText), extra: extra.toSorted(byText), other: other.toSorted(byText) };
}

function byText(left, right) {
  return left < right ? -1 : 1;
}
