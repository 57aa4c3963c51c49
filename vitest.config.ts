import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** `*.slow.test.ts` start the whole program many times: `npm run test:slow`, `test:long` and CI run them. */
const withSlow = process.env["FIREHOSE_BACKFILL_TEST"] !== undefined;

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "functions/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/pds/**", ...(withSlow ? [] : ["**/*.slow.test.ts"])],
    pool: "forks",
    // vitest would leave a core free, which on two cores is every other one; for much of its time a test waits for a server.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Real servers and real sockets on a machine that is shared: in CI a test may be tried again, and says so. Never here.
    retry: process.env["CI"] === "true" ? 2 : 0,
    env: {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "us-east-1",
    },
  },
});
