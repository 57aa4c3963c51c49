/** A package that lists its exports opens what something outside of it uses, and nothing else. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ROOT } from "../support/shell-blocks.ts";

const sources = globSync(["packages/*/{src,bin}/**/*.{ts,mjs}", "{functions,infra,test,bench,scripts}/**/*.{ts,mjs}"], {
  cwd: ROOT,
}).filter((path) => !path.includes("node_modules"));
/** Every module that something outside its package imports by name: `core/clock`. */
const uses = new Set(
  sources.flatMap((path) =>
    [...readFileSync(`${ROOT}${path}`, "utf8").matchAll(/["'`]@firehose-backfill\/([\w/-]+)["'`]/g)]
      .filter(([, name = ""]) => !path.startsWith(`packages/${name.split("/")[0]}/`))
      .map(([, name = ""]) => name),
  ),
);

const opened = globSync("packages/*/package.json", { cwd: ROOT }).flatMap((path) => {
  const { exports = {} }: { exports?: Readonly<Record<string, string | null>> } = JSON.parse(
    readFileSync(`${ROOT}${path}`, "utf8"),
  );
  const name = path.split("/")[1] ?? "";
  return Object.entries(exports)
    .filter(([key]) => !key.includes("*"))
    .map(([key, file]) => ({ name: `${name}${key.slice(1)}`, folder: `${ROOT}packages/${name}/`, file }));
});

it("issue 13.7: every export is a file that something outside its package imports", () => {
  expect(opened.length).toBeGreaterThan(80);
  expect(uses.size).toBeGreaterThan(80);
  const unused = opened.filter(({ name, file }) => file !== null && !uses.has(name)).map(({ name }) => name);
  expect(unused).toEqual([]);
  expect(opened.filter(({ folder, file }) => file !== null && !existsSync(folder + file))).toEqual([]);
});

it("issue 13.7: what a package closes by name is there, and nobody outside imports it", () => {
  const closed = opened.filter(({ file }) => file === null);
  expect(closed.length).toBeGreaterThan(0);
  expect(closed.filter(({ name }) => uses.has(name))).toEqual([]);
  expect(
    closed
      .filter(({ name }) => !existsSync(`${ROOT}packages/${name.replace("/", "/src/")}.ts`))
      .map(({ name }) => name),
  ).toEqual([]);
});
