/**
 * `npm run test:infra`: installs what is absent (install.mjs), runs every test of this folder, skips none, and ends with
 * one line: `N passed, N failed, N skipped`. Needs no AWS account: nothing here leaves the machine but the install.
 *
 *   --rehearse   the deploy rehearsal alone
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installMissing } from "./install.mjs";

const { values: flags } = parseArgs({ options: { rehearse: { type: "boolean", default: false } } });
const root = fileURLToPath(new URL("../../", import.meta.url));
// The pinned Node, TypeScript and vitest, also when this file is started by another Node than npm's.
const path = `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`;

const env = {
  ...process.env,
  PATH: path,
  // Otherwise the SDK's credential chain asks the machine's metadata address.
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  AWS_REGION: "us-east-1",
};

/** @returns {{ passed: number, failed: number, skipped: number, status: number }} */
function test() {
  const folder = mkdtempSync(join(tmpdir(), "infra-report-"));
  const report = join(folder, "report.json");
  try {
    const { status } = spawnSync(
      "vitest",
      [
        "run",
        ...(flags.rehearse ? ["rehearsal"] : []),
        "--config",
        "test/infra/vitest.config.ts",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
      ],
      { cwd: root, env: { ...env, INFRA_TESTS: "required" }, stdio: ["ignore", 2, 2] },
    );
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, status: status ?? 1 };
    const result = JSON.parse(readFileSync(report, "utf8"));
    // A file that could not be loaded has no tests to fail; it must not look like a success.
    const broken = result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + broken.length,
      skipped: result.numPendingTests + result.numTodoTests,
      status: status ?? 1,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

installMissing(env);
const { passed, failed, skipped, status } = test();
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = status !== 0 || failed > 0 || skipped > 0 || passed === 0 ? 1 : 0;
