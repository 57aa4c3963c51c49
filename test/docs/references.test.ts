/**
 * Every file that a comment or a document names exists, and every link of a document leads somewhere. A name without a
 * folder is enough where a file of the repository has it; a path may leave out `packages/` and a package's `src/`.
 */
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/shell-blocks.ts";

/** Folders of things that were installed, built or written by a run. */
const NOT_OURS = new Set(["node_modules", ".git", ".sst", ".backfill", "dist", "coverage"]);
/** Names that stand for files which a program writes or somebody else has. Each of them is named, and none is here. */
const WRITTEN_BY_A_PROGRAM = new Set([
  "dist/server/index.js", // npm run build
  "index.js", // the same, in scripts/build-server.ts
  "lane-child.js", // npm run bench
  "NAME.mjs", // a function's bundle
  "path/to/bundle.mjs", // the same, on a command line
  "relay.json", // in the data folder
  "server.json", // in the data folder
  "status.json", // paths of the status page
  "runs.json",
  "past.json",
  "history.json",
]);
const NAME =
  /(?<![\w.@:$*<>…{}#-])(?:[\w.@-]+\/)*[\w.-]*\w\.(?:ts|mjs|cjs|js|md|json|ya?ml|service|zst|png|svg)(?![\w-]|\.\w|\()/g;
const FOLDER = /(?<![\w./@*-])(?:packages|functions|infra|test|bench|scripts|docs)\/[\w./-]*\w/g;
const HASH_COMMENTS = /(?:^|\/)Dockerfile$|\.(?:ya?ml|service)$/;

const files = globSync(["**/*", ".*", ".ci/*"], {
  cwd: ROOT,
  withFileTypes: true,
  exclude: (entry) => NOT_OURS.has(entry.name),
})
  .filter((entry) => entry.isFile())
  .map((entry) => posix.relative(ROOT, posix.join(entry.parentPath, entry.name)))
  .toSorted();
const folders = new Set(files.flatMap((path) => parentsOf(path)));
const names = new Set([...files, ...folders].flatMap((path) => shortenings(path)));

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** All that a path may be called: with fewer folders in front, and without `src/`. */
function shortenings(path: string): readonly string[] {
  const parts = path.split("/");
  const tails = parts.map((_, index) => parts.slice(index).join("/"));
  return [...tails, ...tails.map((tail) => tail.replace(/(^|\/)src\//, "$1"))];
}

/** What a person wrote about the code: all of a document, and the comments of a program. */
function proseOf(path: string, text: string): string {
  if (path.endsWith(".md")) return text;
  if (HASH_COMMENTS.test(path)) return linesOf(text, /^\s*#.*$/gm);
  // `//` after a blank: in an address it has none before it.
  return linesOf(text, /\/\*\*?\s[\s\S]*?\*\/|(?:^|\s)\/\/ .*$/gm);
}

function linesOf(text: string, pattern: RegExp): string {
  return [...text.matchAll(pattern)].map(([found]) => found).join("\n");
}

interface Reference {
  readonly path: string;
  readonly name: string;
}

function referencesOf(path: string, text: string): readonly Reference[] {
  // A host name or the name of a collection may end like a file, and neither is a file of ours.
  const prose = proseOf(path, text).replaceAll(/\b(?:https?|wss?):\/\/\S+|\bapp\.bsky\.[\w.]+/g, "");
  const found = [...prose.matchAll(NAME), ...prose.matchAll(FOLDER)].map(([name]) => name);
  return [...new Set(found)].map((name) => ({ path, name }));
}

function isThere(from: string, name: string): boolean {
  const plain = name.replace(/^(?:\.\.?\/)+/, "").replace(/\/$/, "");
  if (WRITTEN_BY_A_PROGRAM.has(plain)) return true;
  return names.has(plain) || names.has(posix.join(dirname(from), name));
}

const texts = files
  .filter((path) => /\.(?:ts|mjs|cjs|js|md|ya?ml|service)$|(?:^|\/)Dockerfile$/.test(path))
  .filter((path) => !path.includes("/fixtures/") && path !== "test/docs/references.test.ts")
  .map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, "utf8") }));
const references = texts.flatMap(({ path, text }) => referencesOf(path, text));

describe("a file that is named", () => {
  it("is looked for in comments and in documents", () => {
    expect(files.length).toBeGreaterThan(500);
    expect(references.filter(({ path }) => path.endsWith(".md")).length).toBeGreaterThan(100);
    expect(references.filter(({ path }) => path.endsWith(".ts")).length).toBeGreaterThan(50);
  });

  it("exists", () => {
    expect(references.filter(({ path, name }) => !isThere(path, name))).toEqual([]);
  });

  it("is an exception only while it is named and does not exist", () => {
    const named = new Set(references.map(({ name }) => name.replace(/^(?:\.\.?\/)+/, "")));
    const bare = new Set([...named].map((name) => basename(name)));
    expect([...WRITTEN_BY_A_PROGRAM].filter((name) => !named.has(name) || names.has(name))).toEqual([]);
    expect([].filter((name) => !bare.has(name) || names.has(name))).toEqual([]);
  });

  it.each([
    ["x.ts", "/** As docs/gone.md says. */", ["docs/gone.md"]],
    ["x.ts", 'const path = "gone.ts"; // see gone-too.ts', ["gone-too.ts"]],
    ["x.ts", 'const url = "https://example.org/a.md";', []],
    [
      "x.md",
      "read `core/cbor/gone.ts` and packages/gone/ of [it](docs/gone.md#there)",
      ["core/cbor/gone.ts", "packages/gone", "docs/gone.md"],
    ],
    ["compose.yaml", "image: gone.ts\n# gone.service", ["gone.service"]],
  ])("%s: %s is found", (path, text, expected) => {
    const found = referencesOf(path, text).map(({ name }) => name);
    expect(new Set(found)).toEqual(new Set(expected));
    expect(found.filter((name) => isThere(path, name))).toEqual([]);
  });

  it.each([
    ["docs/x.md", "packages/core/src/cbor/event-log.ts"],
    ["docs/x.md", "core/cbor/event-log.ts"],
    ["docs/x.md", "event-log.ts"],
    ["docs/decisions/x.md", "../gotchas.md"],
    ["docs/x.md", "decisions/"],
    ["x.ts", "core/config"],
  ])("in %s, %s is one that exists", (path, name) => {
    expect(isThere(path, name)).toBe(true);
  });
});

it("a package says what it owns, what it does not, and where to begin reading", () => {
  const owners = [...new Set(files.flatMap((path) => /^packages\/[\w-]+|^functions|^infra/.exec(path)?.[0] ?? []))];
  expect(owners.length).toBeGreaterThan(10);
  const parts = ["**It owns**", "**It does not own**", "**Begin reading at**"];
  const missing = owners.filter((owner) => {
    const text = texts.find(({ path }) => path === `${owner}/README.md`)?.text ?? "";
    return !parts.every((part) => text.includes(part));
  });
  expect(missing).toEqual([]);
});

describe("a link of a document", () => {
  const links = texts
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, target = ""]) => ({ path, target })),
    );

  it("leads to a file, and to a heading of it", () => {
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter(({ path, target }) => !leadsSomewhere(path, target))).toEqual([]);
  });
});

function leadsSomewhere(path: string, target: string): boolean {
  const [file = "", heading] = target.split("#");
  const to = file === "" ? path : posix.normalize(posix.join(dirname(path), file)).replace(/\/$/, "");
  if (!files.some((each) => each === to || each.startsWith(`${to}/`))) return false;
  if (heading === undefined) return true;
  const text = texts.find((each) => each.path === to)?.text ?? "";
  return [...text.matchAll(/^#+ (.+)$/gm)].some(([, title = ""]) => anchorOf(title) === heading);
}

/** As GitHub makes it of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}
