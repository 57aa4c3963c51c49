/** The layer rule refuses each import that breaks it: shown in repositories of two files, which keep and break it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/shell-blocks.ts";

const CRUISER = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
const TESTING = "@firehose-backfill/testing/queue/clock";

/** What the check says of a repository in which the file `from` imports `imported`: the names of the broken rules. */
async function broken(from: string, imported: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "firehose-backfill-layers-"));
  try {
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    };
    await write("tsconfig.json", "{}");
    await write("package.json", '{"type": "module"}');
    await write("packages/testing/package.json", '{"exports": {"./*": "./src/*.ts"}, "type": "module"}');
    await write("packages/testing/src/queue/clock.ts", "export const clock = 1;");
    await write("packages/server/src/server.ts", "export const server = 1;");
    await write(from, `import ${JSON.stringify(imported)};`);
    await mkdir(join(folder, "node_modules/@firehose-backfill"), { recursive: true });
    await symlink(join(folder, "packages/testing"), join(folder, "node_modules/@firehose-backfill/testing"));
    const args = [CRUISER, ".", "--config", join(ROOT, ".dependency-cruiser.cjs"), "--output-type", "json"];
    // It ends with the number of errors, which is how many the report names.
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(reportOf);
    const report: { summary: { violations: { rule: { name: string } }[]; totalDependenciesCruised: number } } =
      JSON.parse(stdout);
    expect(report.summary.totalDependenciesCruised).toBe(1);
    return report.summary.violations.map(({ rule }) => rule.name).toSorted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reportOf(error: unknown): { stdout: string } {
  if (error instanceof Error && "stdout" in error && typeof error.stdout === "string") return { stdout: error.stdout };
  throw error;
}

describe("issue 13.7: what only tests use", () => {
  it.each(["packages/queue/src/queue.ts", "packages/cli/src/main.ts", "functions/reader.ts", "scripts/build.ts"])(
    "is not imported by %s",
    async (from) => {
      expect(await broken(from, TESTING)).toContain("testing-is-for-tests");
    },
  );

  it.each([
    "packages/queue/src/queue.test.ts",
    "functions/shared/plan.test.ts",
    "packages/testing/src/sink/rows.ts",
    "test/e2e/replay.ts",
    "bench/queue.ts",
  ])("is imported by %s", async (from) => {
    expect(await broken(from, TESTING)).toEqual([]);
  });

  it("may import every package", async () => {
    expect(await broken("packages/testing/src/core/clock.ts", "../../../server/src/server.ts")).toEqual([]);
    expect(await broken("packages/core/src/clock.ts", "../../server/src/server.ts")).toEqual(["floor-core"]);
  });
});
