import { expect, test } from "vitest";
import { checkAudit } from "./check-audit.ts";

test.each([
  [0, "relay", []],
  [300, "repos", ["ok"]],
  [300, "both", ["ok"]],
  [300, "relay", ["warn"]],
] as const)("issue 16.4: the doctor on a sample of %i from source %s", (auditSample, source, verdicts) => {
  const checks = checkAudit({ auditSample, source });
  expect(checks.map(({ verdict }) => verdict)).toEqual(verdicts);
  for (const { finding } of checks) expect(finding).toContain("300 repositories");
});
