/** Every test that may be skipped says in its title what it needs: `npm test` prints that as the reason. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WHY } from "../../scripts/skipped.ts";
import { ROOT } from "../support/shell-blocks.ts";

const SELF = "test/docs/skip-reasons.test.ts";
/** From the call to the end of its title. */
const MAY_BE_SKIPPED = /\b(?:describe|it|test)\.(?:skip|skipIf|runIf|todo)\(.*?["'`](?:,|\);)/gs;

const files = globSync(["packages/*/src/**/*.ts", "functions/**/*.ts", "test/**/*.ts"], {
  cwd: ROOT,
  exclude: (path) => path.includes("node_modules"),
}).filter((path) => path !== SELF && !path.startsWith("test/pds/"));

function titlesOf(text: string): readonly string[] {
  return [...text.matchAll(MAY_BE_SKIPPED)].map(([call]) => call.replaceAll(/\s+/g, " "));
}

describe("fault 36: a test that may be skipped", () => {
  const calls = files.flatMap((path) =>
    titlesOf(readFileSync(`${ROOT}${path}`, "utf8")).map((call) => ({ path, call })),
  );

  it("is found", () => {
    expect(calls.length).toBeGreaterThan(10);
    expect(titlesOf('test.skipIf(a === 0)("one (by hand)", async () => {')).toHaveLength(1);
  });

  it("gives its reason in its title", () => {
    expect(calls.filter(({ call }) => !WHY.test(call))).toEqual([]);
  });
});

it("fault 36: npm prints errors only, and the tests write no report that is removed at once", () => {
  expect(readFileSync(`${ROOT}.npmrc`, "utf8")).toMatch(/^loglevel=error$/m);
  // vitest's own JSON reporter says where it wrote; the file is gone when somebody looks for it.
  expect(readFileSync(`${ROOT}scripts/test.ts`, "utf8")).not.toMatch(/reporter=json/);
});
