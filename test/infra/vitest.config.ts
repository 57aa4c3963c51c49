import { defineConfig } from "vitest/config";

/** Slow only in waiting for child processes; a synthesis loads the whole AWS provider. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
