/** What docs/operations.md says of the alarms: its table of troubles, and its paragraphs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./platform.ts";

export interface Operations {
  /** A row of the table each: the trouble, and the names of the alarms that speak. */
  readonly troubles: readonly { readonly trouble: string; readonly alarms: readonly string[] }[];
  /** The names that begin a paragraph: `**waiting**: ...`. */
  readonly paragraphs: readonly string[];
}

/** @throws Error where the section or its table is not there */
export function readOperations(): Operations {
  const text = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  const section = /\n## Alarms\n(.*?)\n## /su.exec(text)?.[1];
  if (section === undefined) throw new Error("docs/operations.md has no section Alarms");
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| trouble |"));
  if (rows.length === 0) throw new Error("the section Alarms has no table of troubles");
  return {
    troubles: rows.map((row) => {
      const [, trouble = "", speaks = ""] = row.split("|").map((cell) => cell.trim());
      return { trouble, alarms: [...speaks.matchAll(/`([a-z-]+)`/gu)].map(([, name = ""]) => name) };
    }),
    paragraphs: [...section.matchAll(/^\*\*([a-z-]+)\*\*: /gmu)].map(([, name = ""]) => name),
  };
}
