/* oxlint-disable vitest/no-conditional-tests, vitest/valid-describe-callback, vitest/valid-title, vitest/expect-expect,
   vitest/no-disabled-tests -- this file is what decides whether tests are run; it holds none */
/**
 * Tests that need what `npm run test:infra` installs. Where it is absent they are skipped and say so; under that command
 * its absence is a failure.
 */
import { describe, test } from "vitest";
import { isPlatformInstalled } from "./platform.ts";
import { isIamDataInstalled } from "./rehearsal/iam-data.ts";
import { areModelsInstalled } from "./rehearsal/models.ts";

export function describeWithPlatform(title: string, tests: () => void): void {
  describeWith(title, tests, isPlatformInstalled() ? null : "SST's platform is not installed");
}

/** Tests that need the platform and what test/infra/package.json names: AWS's service models and IAM's actions. */
export function describeWithRehearsal(title: string, tests: () => void): void {
  if (areModelsInstalled() && isIamDataInstalled()) describeWithPlatform(title, tests);
  else describeWith(title, tests, "AWS's service models are not installed");
}

function describeWith(title: string, tests: () => void, missing: string | null): void {
  if (missing === null) {
    describe(title, tests);
  } else if (process.env["INFRA_TESTS"] === "required") {
    test(title, () => {
      throw new Error(`${missing}, or not in the version that is locked`);
    });
  } else {
    console.warn(`SKIPPED, as ${missing} (npm run test:infra installs what is missing): ${title}`);
    test.skip(`${title} (skipped: ${missing}: npm run test:infra installs what is missing)`);
  }
}
