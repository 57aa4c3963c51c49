/** One word, one meaning: a word that docs/glossary.md has replaced does not come back into a document. */
import { describe, expect, it } from "vitest";
import { documents } from "../support/shell-blocks.ts";

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
/** The first tells what was. The others are written anew once the code has its new names; then they leave this list. */
const NOT_CHECKED = new Set(["CHANGELOG.md", "docs/gotchas.md"]);

/** Code, commands and SQL have names of their own. */
function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "");
}

function oldWordsOf(text: string): readonly string[] {
  return REPLACED.flatMap(([old, word]) => {
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
