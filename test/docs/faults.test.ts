/** Every row of docs/faults.md has its test, in the files that the row names: a title that begins with the row's number. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/shell-blocks.ts";

const ROWS = Array.from({ length: 36 }, (_, index) => `fault ${index + 1}`);
const POINTS = Array.from({ length: 7 }, (_, index) => `issue 12.${index + 1}`);

interface Row {
  /** As titles begin: `fault 1`, `issue 12.1`. */
  readonly name: string;
  readonly files: readonly string[];
}

const rows = rowsOf(readFileSync(`${ROOT}docs/faults.md`, "utf8"));

function rowsOf(page: string): readonly Row[] {
  return [...page.matchAll(/^\| (\d+(?:\.\d+)?) \|.*\|(.*)\|$/gm)].map(([, number = "", files = ""]) => ({
    name: `${number.includes(".") ? "issue" : "fault"} ${number}`,
    files: [...files.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = ""]) => file),
  }));
}

/** A title is a literal of the file: in the call itself, or in a variable or a table that the call takes it from. */
function isTitled(text: string, name: string): boolean {
  return new RegExp(`["'\`]${name.replaceAll(".", String.raw`\.`)}: \\S`).test(text);
}

describe("docs/faults.md", () => {
  it("has each row once, and in order", () => {
    expect(rows.map(({ name }) => name)).toEqual([...ROWS, ...POINTS]);
  });

  it.each(rows)("$name has its test in every file that its row names", ({ name, files }) => {
    expect(files).not.toEqual([]);
    const silent = files.filter(
      (file) => !existsSync(`${ROOT}${file}`) || !isTitled(readFileSync(`${ROOT}${file}`, "utf8"), name),
    );
    expect(silent).toEqual([]);
  });

  it("would miss a title that is not there", () => {
    expect(isTitled('test("fault 1: it waits", run)', "fault 1")).toBe(true);
    expect(isTitled("  name: `issue 12.1: who sees it`,", "issue 12.1")).toBe(true);
    for (const text of ['test("fault 11: it waits", run)', 'test("as fault 1: it", run)', "// fault 1: it"])
      expect(isTitled(text, "fault 1")).toBe(false);
    expect(isTitled('test("issue 12x1: it", run)', "issue 12.1")).toBe(false);
    expect(rowsOf("| 1 | a | b | `x/y.test.ts`, `z.ts` |\n| 12.1 | a | b | c |")).toEqual([
      { name: "fault 1", files: ["x/y.test.ts", "z.ts"] },
      { name: "issue 12.1", files: [] },
    ]);
  });
});
