/** docs/configuration.md names every setting, with its default and what it takes, as the one table of settings has them. */
import { readFileSync } from "node:fs";
import { SETTINGS } from "@firehose-backfill/core/config/definitions";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

test.each(SETTINGS.map((setting) => [setting.name, setting] as const))("%s", (name, setting) => {
  const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`) && line.includes(setting.help));
  expect(row, `a row of the table for ${name}`).toBeDefined();
  expect(row).toContain(setting.kind.takes);
  const { fallback } = setting;
  const isPlain = typeof fallback === "number" || typeof fallback === "boolean";
  expect(row).toContain(isPlain ? `| ${fallback} |` : "|");
});
