/**
 * Which source files of the infrastructure link the database's address. This reads text, so that `npm test` holds it without
 * SST's platform; checks/secrets.ts holds the same for what is really registered.
 */
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/shell-blocks.ts";

const sources = globSync("infra/*.ts", { cwd: ROOT })
  .toSorted()
  .map((path) => ({ name: basename(path), text: readFileSync(`${ROOT}${path}`, "utf8") }));

test("issue 12.1: only the consumer and the control function link the database's address, and nothing else is linked", () => {
  const linking = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/\blink: (.*?),?$/gm)].map(([, value]) => `${name}: ${value}`),
  );
  expect(linking).toEqual([
    "consumer.ts: [options.databaseUrl]",
    "control.ts: [options.databaseUrl]",
    // What all functions get if they ask for nothing.
    "function.ts: options.link ?? []",
  ]);
});

test("issue 12.1: the files of the reader and of the status page do not name the address at all", () => {
  const naming = sources
    .filter(({ text }) => /databaseUrl|DatabaseUrl|DATABASE_URL/.test(text))
    .map(({ name }) => name);
  expect(naming).toContain("consumer.ts");
  expect(naming).not.toContain("reader.ts");
  expect(naming).not.toContain("status.ts");
});
