/** sst.config.ts, infra/ and these tests against the types of SST, Pulumi and AWS as they are installed. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ROOT, SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";

describeWithPlatform("types", () => {
  test("tsc", { timeout: SLOW_MS }, () => {
    // Its project takes in that of infra/, with the same options.
    const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "test/infra/tsconfig.json"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(tsc.stdout + tsc.stderr).toBe("");
    expect(tsc.status).toBe(0);
  });
});
