/* oxlint-disable vitest/no-conditional-tests, vitest/valid-describe-callback, vitest/valid-title, vitest/expect-expect,
   vitest/no-disabled-tests -- this file is what decides whether tests are run; it holds none */
/**
 * Tests that need SST's platform. Where it is absent they are skipped and say so; under `npm run test:infra`, which
 * installs it, its absence is a failure.
 */
import { describe, test } from "vitest";
import { isPlatformInstalled } from "./platform.ts";

export function describeWithPlatform(title: string, tests: () => void): void {
  if (isPlatformInstalled()) {
    describe(title, tests);
  } else if (process.env["INFRA_TESTS"] === "required") {
    test(title, () => {
      throw new Error("SST's platform is not installed: .sst/platform is missing or of another version");
    });
  } else {
    console.warn(`SKIPPED, as SST's platform is not installed (npm run test:infra installs it): ${title}`);
    test.skip(`${title}: skipped, as SST's platform is not installed`);
  }
}
