/** The layer rule is broken on purpose, in a folder of its own: each rule must see it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** Names of the rules that these files break. */
async function broken(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "layers-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    await writeFile(join(folder, "tsconfig.json"), "{}");
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const args = ["--config", join(ROOT, ".dependency-cruiser.cjs"), "--output-type", "json", "packages"];
    const output = await new Promise<string>((done) =>
      execFile(join(ROOT, "node_modules/.bin/depcruise"), args, { cwd: folder, maxBuffer: 2 ** 26 }, (_, out) =>
        done(out),
      ),
    );
    const {
      summary,
    }: { readonly summary: { readonly violations: readonly { readonly rule: { readonly name: string } }[] } } =
      JSON.parse(output);
    return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("issue 13.6: a circle is refused, also one of types alone", async () => {
  const a = 'import type { B } from "./b.ts";\nexport interface A {\n  readonly b: B;\n}\n';
  const b = 'import type { A } from "./a.ts";\nexport interface B {\n  readonly a: A;\n}\n';
  expect(await broken({ "packages/core/src/a.ts": a, "packages/core/src/b.ts": b })).toEqual(["no-circular"]);
});

test("issue 13.4: outside sink-postgres nobody imports its insides, and each composition root names it once", async () => {
  const inside = "export const migrate = 1;\n";
  const opened = "export const openSink = 1;\n";
  const sink = {
    "packages/sink-postgres/src/migrate.ts": inside,
    "packages/sink-postgres/src/open-sink.ts": opened,
  };
  const inServer = (file: string, of: string) => ({
    [`packages/server/src/${file}`]: `import * as all from "../../sink-postgres/src/${of}";\nexport const x = all;\n`,
  });
  expect(await broken({ ...sink, ...inServer("open-sink.ts", "open-sink.ts") })).toEqual([]);
  expect(await broken({ ...sink, ...inServer("other.ts", "open-sink.ts") })).toEqual(["sink-is-named-once"]);
  expect(await broken({ ...sink, ...inServer("open-sink.ts", "migrate.ts") })).toEqual(["sink-is-opened"]);
});

test("issue 13.1: each composition root names its sources in one file", async () => {
  const kit = { "packages/firehose/src/kit.ts": "export const relayKit = 1;\n" };
  const inServer = (file: string) => ({
    [`packages/server/src/${file}`]: 'import * as all from "../../firehose/src/kit.ts";\nexport const x = all;\n',
  });
  expect(await broken({ ...kit, ...inServer("open-sources.ts") })).toEqual([]);
  expect(await broken({ ...kit, ...inServer("run-server.ts") })).toEqual(["sources-are-named-once"]);
});
