/** One word, one meaning: a word that docs/glossary.md has replaced does not come back into a document or a comment. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { documents, ROOT } from "../support/shell-blocks.ts";

/** The word that was used, and the one that is used now. */
const REPLACED: readonly (readonly [RegExp, string])[] = [
  [/\bepochs?\b/i, "generation, or pace version"],
  [/\bfold(?:s|ed|ing)?\b/i, "advance the applied cursor, or latest rows"],
  [/\bhorizon\b/i, "read-ahead"],
  [/\bupkeep\b/i, "reconcile"],
  [/\bsetbacks?\b/i, "failure handling"],
  [/\b(?:new|own) places?\b|\bplaces? (?:on|of) the pace\b/i, "slot"],
  [/\btwo homes\b|\bits home\b/i, "deployment"],
];
/** Words that comments of the code have replaced, too. */
const REPLACED_IN_COMMENTS: readonly (readonly [RegExp, string])[] = [
  ...REPLACED,
  [/\btold twice\b/i, "the SDK retries a write that succeeded"],
  [/\bloudly\b/i, "fail the run"],
  [/\blook(?:s|ed|ing)? after\b/i, "reconcile, or what is done"],
];
/** It tells what was. */
const NOT_CHECKED = new Set(["CHANGELOG.md"]);

/** Code, commands and SQL have names of their own. */
function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "");
}

/** The comments of a program. `//` after a blank: in an address it has none before it. A Unix time counts "since the epoch". */
function commentsOf(text: string): string {
  const found = [...text.matchAll(/\/\*\*?\s[\s\S]*?\*\/|(?:^|\s)\/\/ .*$/gm)].map(([comment]) => comment);
  return found.join("\n").replaceAll("since the epoch", "");
}

function oldWordsOf(text: string, replaced = REPLACED): readonly string[] {
  return replaced.flatMap(([old, word]) => {
    const found = old.exec(proseOf(text));
    return found === null ? [] : [`"${found[0]}": say ${word}`];
  });
}

describe("a document", () => {
  const pages = documents().filter(({ path }) => !NOT_CHECKED.has(path));

  it.each(pages)("$path uses the words of the glossary", ({ text }) => {
    expect(oldWordsOf(text)).toEqual([]);
  });

  it("would be found", () => {
    expect(oldWordsOf("A late batch takes a new place; the reader folds.")).toHaveLength(2);
    expect(oldWordsOf("`extract(epoch from now())`\n```sql\nSELECT epoch\n```\n")).toEqual([]);
  });
});

describe("a comment", () => {
  const programs = ["packages/*/src/**/*.ts", "functions/**/*.ts", "infra/**/*.ts", "scripts/**/*.ts", "bench/**/*.ts"]
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .filter((path) => !path.includes("node_modules"))
    .toSorted();

  it("uses the words of the glossary", () => {
    const found = programs.flatMap((path) =>
      oldWordsOf(commentsOf(readFileSync(`${ROOT}${path}`, "utf8")), REPLACED_IN_COMMENTS).map(
        (old) => `${path}: ${old}`,
      ),
    );
    expect(programs.length).toBeGreaterThan(500);
    expect(found).toEqual([]);
  });

  it("would be found", () => {
    expect(oldWordsOf(commentsOf('const folded = "epoch"; // folds\n'), REPLACED_IN_COMMENTS)).toHaveLength(1);
    expect(oldWordsOf(commentsOf("/** Milliseconds since the epoch. */"), REPLACED_IN_COMMENTS)).toEqual([]);
  });
});
