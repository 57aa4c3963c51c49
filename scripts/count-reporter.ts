/** A vitest reporter that writes its counts to a file for scripts/test.ts and prints nothing. vitest requires a default export. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { ROOT } from "./run-step.ts";
import type { TestReport } from "./skipped.ts";

export const REPORT_VARIABLE = "FIREHOSE_BACKFILL_TEST_REPORT";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const report: TestReport = {
      passed: inState("passed").length,
      failed: inState("failed").length,
      skipped: inState("skipped").map((test) => ({
        file: relative(ROOT, test.module.moduleId),
        titles: titlesOf(test),
      })),
    };
    writeFileSync(process.env[REPORT_VARIABLE] ?? "", JSON.stringify(report));
  }
}

function titlesOf(test: TestCase): readonly string[] {
  const titles = [test.name];
  for (let { parent } = test; parent.type === "suite"; { parent } = parent) titles.unshift(parent.name);
  return titles;
}
