/**
 * The functions' tests on AWS's own runtime client in the place of ours: `npm run test:ric`. What AWS runs on Node 24 is this
 * client. It is compiled when it is installed, which takes some minutes, once; where that is not possible, the tests are skipped and
 * the reason is told. The last line on stdout is `N passed, N failed, N skipped`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installFolder } from "../../scripts/install-folder.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLIENT = join(FOLDER, "node_modules/aws-lambda-ric/index.mjs");
const TOOLS = ["cmake", "make", "g++", "python3"];
/** Debian's package libnode-dev, or NodeSource's nodejs. The client uses Node-API, so any version's do. */
const HEADERS = "/usr/include/node/node_api.h";
const FILES = ["host", "pipeline", "control", "both-sources", "environments.slow", "freezes.slow"];

const missing = TOOLS.filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).error !== undefined);
if (missing.length > 0) skip(`needs ${missing.join(", ")}: apt-get install cmake make g++ python3`);
try {
  const nodedir = existsSync(HEADERS) ? { npm_config_nodedir: "/usr" } : {};
  const message =
    "Installing and compiling aws-lambda-ric into test/ric/node_modules/ (three to eight minutes, once) …";
  installFolder(FOLDER, message, { ...nodedir, ...process.env }, { runsScripts: true });
} catch (error) {
  console.error(error);
  skip(`aws-lambda-ric cannot be compiled here, see above; Node's headers are taken from ${HEADERS}, else downloaded`);
}
const tests = FILES.map((name) => `test/functions/${name}.test.ts`);
const { status } = spawnSync(process.execPath, ["scripts/test.ts", "--long", ...tests], {
  cwd: ROOT,
  env: { ...process.env, FIREHOSE_BACKFILL_RIC: CLIENT },
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(status ?? 1);

/** @param {string} why */
function skip(why) {
  console.log(`Skipped: the functions on AWS's own runtime client: ${why}`);
  console.log(`0 passed, 0 failed, ${FILES.length} skipped`);
  process.exit(0);
}
