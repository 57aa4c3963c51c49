/** BACKFILL_VERIFY=inversion on all that a real PDS has sent: every commit is undone, every signature holds, no link is missing; and the copy is proved. */
import assert from "node:assert/strict";
import { readFrame } from "../../packages/firehose/src/frame.ts";
import { runBackfill } from "./program.mjs";
import { auditChecks } from "./audit.mjs";

const LEAST_COMMITS = 600;

/**
 * @param {object} given
 * @param {{ relayUrl: string, plcUrl: string }} given.network
 * @param {string} given.dataDir a new one
 * @param {readonly Uint8Array[]} given.frames everything that the PDS keeps
 * @param {import("./scenario.mjs").Act} given.act the last one
 * @returns {readonly (readonly [string, () => Promise<void>])[]} by name
 */
export function levelChecks({ network, dataDir, frames, act }) {
  const commits = frames.map((bytes) => readFrame(bytes)).filter(({ kind }) => kind === "commit");
  const [equal] = auditChecks({ network, dataDir, act });
  let final = null;
  return [
    [
      `issue 16.3: ${commits.length} of ${commits.length} commits are undone to the tree before them`,
      async () => {
        assert.ok(commits.length >= LEAST_COMMITS, `only ${commits.length} commits`);
        const { code, stdout, stderr } = await runBackfill({
          relayUrl: network.relayUrl,
          dataDir,
          env: { BACKFILL_VERIFY: "inversion", BACKFILL_PLC_URL: network.plcUrl },
        });
        assert.ok(code === 0 || code === 3, `exit code ${code}; stderr ends:\n${stderr.slice(-3000)}`);
        final = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
        assert.equal(final.status, "succeeded");
        // What Postgres cannot hold dies at every level.
        assert.equal(final.dead, act.deadPaths.length, JSON.stringify(final.deadReasons));
        for (const reason of ["inversion-failed", "bad-signature", "no-key"])
          assert.equal(final.deadReasons[reason], undefined, reason);
      },
    ],
    [
      "issue 16.1: no link of a commit is missing",
      async () => assert.deepEqual(final?.resyncs, { count: 0, done: 0, first: [] }),
    ],
    equal,
  ];
}
