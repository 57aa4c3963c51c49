import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("../../", import.meta.url).pathname,
    include: ["test/conformance/*.conformance.ts"],
    // On AWS itself: figures settle within a minute, and a table is made in ten seconds.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxConcurrency: 10,
  },
});
