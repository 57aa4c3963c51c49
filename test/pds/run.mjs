/**
 * End to end against a real PDS on loopback: `npm run test:pds`. Accounts write, change, delete and go; our program
 * reads the PDS's firehose into its embedded Postgres; the tables are compared with what the PDS answers over XRPC.
 *
 *   --record FILE   write the PDS's frames to FILE (format of test/fixtures) and end there
 *   --keep          leave the temporary folder
 *
 * With FIREHOSE_BACKFILL_TEST=slow a repository of 100,000 records is among those that are compared; without, one of 5,000.
 *
 * The last line on stdout is `N passed, N failed, N skipped`.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { installFolder } from "../../scripts/install-folder.mjs";
import { Report } from "./report.mjs";

const { values: flags } = parseArgs({
  options: { record: { type: "string" }, keep: { type: "boolean", default: false } },
});
/** Posts for the search: it stops where fewer than 2,000 frames are left to read. */
const CROWD = 5_000;
/** Of these, before the levels of BACKFILL_VERIFY are tried: with those before them more than 600 commits. */
const FEW = 640;
/** Records of the repository that is walked. */
const WALKED = 10_000;
/** Records of the repository that is imported. 100,000 take some minutes, most of them in the PDS. */
const IS_SLOW = ["slow", "long"].includes(process.env.FIREHOSE_BACKFILL_TEST ?? "");
const IMPORTED = IS_SLOW ? 100_000 : 5_000;
const report = new Report((line) => console.log(line));
const folder = await mkdtemp(join(tmpdir(), "pds-test-"));
try {
  // Apart from the workspaces, because it is heavy and only this test needs it.
  installFolder(
    fileURLToPath(new URL(".", import.meta.url)),
    "installing @atproto/pds and what it needs (about 90 s, once)",
  );
  await playAgainstRealPds();
} catch (error) {
  await report.check("the harness itself", () => Promise.reject(error));
} finally {
  if (flags.keep) console.error(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
console.log(report.sum());
// The PDS leaves timers behind.
process.exit(report.failed > 0 ? 1 : 0);

async function playAgainstRealPds() {
  // Imported late: what they import is there only after the installation.
  const [{ startNetwork }, { connectTo }, { crowd, firstAct, secondAct }, { readFrames, writeFrames }] =
    await Promise.all([
      import("./network.mjs"),
      import("./client.mjs"),
      import("./scenario.mjs"),
      import("./recorder.mjs"),
    ]);
  const network = await startNetwork(join(folder, "pds"));
  try {
    const pds = connectTo(network.url);
    const first = await firstAct(pds, network.adminPassword);
    if (flags.record !== undefined) {
      const frames = await readFrames(network.relayUrl, await network.headSeq());
      await writeFrames(flags.record, frames);
      await report.check(`${frames.length} frames recorded`, () => assert.ok(frames.length > 0));
      return;
    }
    const place = { network, pds, dataDir: join(folder, "backfill"), readFrames };
    await backfillAndCompare("first run", { ...place, act: first, exitCode: 0 });
    const second = await secondAct(pds, first);
    await backfillAndCompare("second run", { ...place, act: second, exitCode: 3, isLast: true });
    await crowd(first, FEW);
    const { levelChecks } = await import("./levels.mjs");
    const some = await readFrames(network.relayUrl, await network.headSeq());
    const levels = levelChecks({ network, dataDir: join(folder, "levels"), frames: some, act: second });
    for (const [name, body] of levels) await report.check(`levels: ${name}`, body);
    await crowd(first, CROWD - FEW);
    const { seekChecks } = await import("./seek.mjs");
    const frames = await readFrames(network.relayUrl, await network.headSeq());
    const checks = seekChecks({ relayUrl: network.relayUrl, dataDir: join(folder, "by-time"), frames });
    for (const [name, body] of checks) await report.check(`by time: ${name}`, body);
    const { repositoryChecks } = await import("./repositories.mjs");
    // Last: its account is not among those that the scenario knows.
    for (const [name, body] of repositoryChecks(network, pds, WALKED))
      await report.check(`repositories: ${name}`, body);
    const { moveChecks } = await import("./moves.mjs");
    for (const [name, body] of moveChecks(network, folder, IMPORTED))
      await report.check(`repositories that came from elsewhere: ${name}`, body);
    if (!IS_SLOW) report.skip("issue 15.9: 100,000 records: with FIREHOSE_BACKFILL_TEST=slow");
  } finally {
    await network.stop();
  }
}

/** @param {string} title */
async function backfillAndCompare(title, { network, pds, dataDir, readFrames, act, exitCode, isLast = false }) {
  const { openTables, runBackfill } = await import("./program.mjs");
  const { tableChecks } = await import("./checks.mjs");
  const frames = await readFrames(network.relayUrl, await network.headSeq());
  const hasRun = await report.check(`${title}: reads ${frames.length} frames and ends with ${exitCode}`, async () => {
    const { code, stdout, stderr, seconds } = await runBackfill({ relayUrl: network.relayUrl, dataDir });
    assert.equal(code, exitCode, `after ${seconds.toFixed(1)} s; stderr ends:\n${stderr.slice(-3000)}`);
    const final = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    assert.equal(final.status, "succeeded");
    assert.equal(final.dead, act.deadPaths.length);
  });
  if (!hasRun) {
    for (const name of tableChecks({ pds, act, frames, query: async () => [] }).keys())
      report.skip(`${title}: ${name}`);
    return;
  }
  {
    await using tables = await openTables(dataDir);
    for (const [name, body] of tableChecks({ pds, act, frames, query: tables.query })) {
      await report.check(`${title}: ${name}`, body);
    }
  }
  // The audit starts the same Postgres itself.
  const { auditChecks } = await import("./audit.mjs");
  const [equal, ...faults] = auditChecks({ network, dataDir, act });
  for (const [name, body] of isLast ? [equal, ...faults] : [equal]) await report.check(`${title}: ${name}`, body);
}
