/**
 * `npm test`: everything that needs neither an account nor the internet, in minutes. Arguments go to vitest. `--slow` runs
 * what `npm test` leaves out; `--long` runs everything, and every case of the long tables instead of a sample. The last lines say why
 * tests were skipped; the very last one is the total: `N passed, N failed, N skipped`.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPORT_VARIABLE } from "./count-reporter.ts";
import { ROOT, runStep } from "./run-step.ts";
import { skippedReasons, type TestReport } from "./skipped.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const MODES = ["slow", "long"] as const;

const mode = MODES.find((name) => process.argv.includes(`--${name}`));
const args = process.argv.slice(2).filter((arg) => arg !== `--${mode}`);
if (mode !== undefined) process.env["FIREHOSE_BACKFILL_TEST"] = mode;
if (mode === "slow" && args.length === 0) args.push(".slow.test.ts");
const reasons: string[] = [];
const total = await runVitest(args);
if (args.length === 0) {
  if (existsSync(join(ROOT, ".sst", "platform"))) add(total, await runInfra());
  else console.log("Skipped: the infrastructure's tests. `npm run test:infra` installs SST's platform and runs them.");
}
// With -t, nearly everything is skipped on purpose, so no reasons are needed.
if (!args.some((arg) => arg === "-t" || arg.startsWith("--testNamePattern")))
  for (const line of reasons) console.log(line);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

async function runVitest(more: readonly string[]): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "firehose-backfill-test-"));
  try {
    const report = join(folder, "report.json");
    process.env[REPORT_VARIABLE] = report;
    const { code } = await runStep("vitest", [
      "run",
      "--reporter=default",
      "--reporter=./scripts/count-reporter.ts",
      ...more,
    ]);
    const counts = await readReport(report);
    // A file that cannot be loaded, or an unhandled rejection, has no test that counts as failed.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readReport(path: string): Promise<Counts> {
  try {
    const report: TestReport = JSON.parse(await readFile(path, "utf8"));
    reasons.push(...skippedReasons(report));
    return { passed: report.passed, failed: report.failed, skipped: report.skipped.length };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function runInfra(): Promise<Counts> {
  const { code, output } = await runStep("node", ["test/infra/run.mjs"]);
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output) ?? [];
  if (passed === undefined) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}

function add(to: Counts, more: Counts): void {
  to.passed += more.passed;
  to.failed += more.failed;
  to.skipped += more.skipped;
}
