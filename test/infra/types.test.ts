/** sst.config.ts, infra/ and these tests against the types of SST, Pulumi and AWS as they are installed. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ROOT } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";

describeWithPlatform("types", () => {
  test.each(["infra/tsconfig.json", "test/infra/tsconfig.json"])("tsc -p %s", (project) => {
    const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(tsc.stdout + tsc.stderr).toBe("");
    expect(tsc.status).toBe(0);
  });
});
