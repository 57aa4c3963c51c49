import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "functions/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/pds/**"],
    pool: "forks",
    // vitest would leave a core free, which on two cores is every other one; much of the time a test waits for a server.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
