/** Rules for every statement of this package that writes records, in any file. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = import.meta.dirname;

/** From the verb to the end of the text that contains it. */
const WRITES = /(INSERT INTO|UPDATE) firehose\.records\b[^`]*/g;

test("issue 17.9: every statement that changes a record says which transaction did, so that the change feed has it", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const writes = files.flatMap((name) =>
    [...readFileSync(join(SOURCE, name), "utf8").matchAll(WRITES)].map(([sql]) => ({ name, sql })),
  );
  const changes = writes.filter(({ sql }) => sql.startsWith("UPDATE") || sql.includes("DO UPDATE"));
  expect(changes.length).toBeGreaterThan(0);
  expect(changes.filter(({ sql }) => !/\bxid = /.test(sql))).toEqual([]);
});
