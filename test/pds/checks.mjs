/** The tables against what the PDS itself answers over XRPC, and against what its frames say by the oracle. */
import assert from "node:assert/strict";
import { canonicalText } from "../support/atproto-json.ts";
import { assertSameTables } from "../support/compare.ts";
import { expectedTables } from "../support/oracle.ts";
import { XrpcError } from "./client.mjs";

/**
 * @param {object} given
 * @param {ReturnType<import("./client.mjs").connectTo>} given.pds
 * @param {import("./scenario.mjs").Act} given.act
 * @param {readonly Uint8Array[]} given.frames everything the PDS keeps
 * @param {(sql: string, values?: readonly unknown[]) => Promise<readonly Record<string, any>[]>} given.query
 * @returns {Map<string, () => Promise<void>>} by name
 */
export function tableChecks({ pds, act, frames, query }) {
  const readRecords = async (table, did) => {
    const rows = await query(
      `select collection || '/' || rkey as path, cid, record::text as record from firehose.${table} where did = $1 and cid is not null`,
      [did],
    );
    return new Map(rows.map(({ path, cid, record }) => [path, { cid, value: JSON.parse(record) }]));
  };
  const paths = (rows) => rows.map(({ path }) => path);

  return new Map([
    [
      "live_records hold what listRecords answers, CIDs and values included",
      async () => {
        let compared = 0;
        for (const did of act.live) {
          const { records } = await pds.listRepo(did);
          const isShown = ([path]) => !act.deadPaths.includes(`${did}/${path}`);
          const expected = new Map([...records].filter(isShown));
          compared += expected.size;
          assert.equal(show(await readRecords("live_records", did)), show(expected), did);
        }
        assert.ok(compared > 200, `only ${compared} records`);
        const [{ total }] = await query("select count(*)::int as total from firehose.live_records");
        assert.equal(total, compared, "live_records hold more than the PDS has");
      },
    ],
    [
      "handles are those of describeRepo, revisions those of getLatestCommit",
      async () => {
        for (const did of act.live) {
          const { handle } = await pds.get("com.atproto.repo.describeRepo", { repo: did });
          const { rev } = await pds.get("com.atproto.sync.getLatestCommit", { did });
          const rows = await query(
            "select handle, rev, active is distinct from false as active from firehose.repos where did = $1",
            [did],
          );
          assert.deepEqual(rows, [{ handle, rev, active: true }], did);
        }
      },
    ],
    [
      "deactivated, taken down and deleted accounts are hidden as getRepoStatus says",
      async () => {
        for (const { did, status } of act.hidden) {
          assert.equal(await statusOf(pds, did), status, `the PDS about ${did}`);
          const rows = await query("select active, status from firehose.repos where did = $1", [did]);
          assert.deepEqual(rows, [{ active: false, status }], did);
          assert.equal((await readRecords("live_records", did)).size, 0, `${did} is shown`);
        }
      },
    ],
    [
      "what a hidden account held is kept, what a deleted one held is not",
      async () => {
        for (const { did, records } of act.hidden)
          assert.equal(show(await readRecords("records", did)), show(records), did);
      },
    ],
    [
      "a deleted record leaves a tombstone",
      async () => {
        const rows = await query(
          `select did || '/' || collection || '/' || rkey as path from firehose.records where cid is null and record is null`,
        );
        assert.deepEqual(paths(rows).toSorted(), act.deletedPaths.toSorted());
      },
    ],
    [
      "what Postgres cannot hold is a dead event, with its bytes and the reason",
      async () => {
        const rows = await query(
          `select did || '/' || path as path, min(reason) as reason, bool_and(length(payload) > 0) as kept from firehose.dead_events group by 1`,
        );
        assert.deepEqual(paths(rows).toSorted(), act.deadPaths.toSorted());
        for (const { reason, kept } of rows)
          assert.deepEqual({ reason, kept }, { reason: "nul-character", kept: true });
      },
    ],
    [
      "every table is what an independent decoder makes of the frames",
      async () => assertSameTables(query, await expectedTables(frames)),
    ],
  ]);
}

/** The status that the PDS tells anybody. */
async function statusOf(pds, did) {
  try {
    const { active, status } = await pds.get("com.atproto.sync.getRepoStatus", { did });
    return active ? "active" : status;
  } catch (error) {
    if (error instanceof XrpcError && error.error === "RepoNotFound") return "deleted";
    throw error;
  }
}

/** One line a record, in order: a failed comparison then shows the lines that differ. */
function show(records) {
  const lines = [...records].map(([path, { cid, value }]) => `${path} ${cid} ${canonicalText(value)}`);
  return lines.toSorted().join("\n");
}
