/** Every test that docs/reliability.md names is there, by its file and, where given, by a piece of its title. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/reliability.md", ROOT), "utf8");
const named = [...page.matchAll(/`([\w./-]+\.(?:ts|md))`(?:: ([^`;|\n]+))?/g)].map(([, file = "", title]) => ({
  file,
  title: title?.trim() ?? "",
}));

describe("docs/reliability.md", () => {
  test("names tests for most of what may go wrong", () => {
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ title }) => title !== "").length).toBeGreaterThan(30);
  });

  test.each(named)("$file: $title", ({ file, title }) => {
    expect(readFileSync(new URL(file, ROOT), "utf8")).toContain(title);
  });

  test("every fault has one", () => {
    const table = page.slice(page.indexOf("| fault |"), page.indexOf("## Into Postgres"));
    const rows = table.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| **"));
    expect(rows.slice(1).filter((row) => !/`[\w./-]+\.ts`[^|]*\|$/.test(row))).toEqual([]);
  });
});
