/**
 * Builds the long-lived program as plain JavaScript: `index.js`, the modules it loads, and a file for each module that runs as a child
 * process. Our own packages are bundled; third-party packages stay in node_modules.
 */
import { globSync } from "node:fs";
import { cp, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { ROOT } from "./run-step.ts";

/** The sample relay's recording. The built file finds it at the same relative path as the source: `../fixtures/`. */
const FIXTURES = "packages/embedded/fixtures";

/** Bundles our packages, because they are sources and not modules that Node can find at run time. */
const externalThirdParties: Plugin = {
  name: "external-third-parties",
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@firehose-backfill/") ? undefined : { path, external: true },
    );
  },
};

/** A child process is started by the address of its module; after the build, that is the file beside this one. */
const childAddresses: Plugin = {
  name: "child-addresses",
  setup(builder) {
    builder.onLoad({ filter: /packages\/[\w-]+\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replaceAll(
        /new URL\("\.\/([\w-]+-child)\.ts", import\.meta\.url\)/g,
        'new URL("./$1.js", import.meta.url)',
      );
      return { contents, loader: "ts" };
    });
  },
};

/** Writes `server/` and `fixtures/` into `dist`. */
export async function buildServer(dist: string): Promise<void> {
  const children = globSync("packages/*/src/*-child.ts", { cwd: ROOT });
  const common = {
    absWorkingDir: ROOT,
    outdir: join(dist, "server"),
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
  } as const;
  await build({
    ...common,
    entryPoints: [
      { in: "packages/cli/src/server-main.ts", out: "main" },
      ...children.map((path) => ({ in: path, out: basename(path, ".ts") })),
    ],
    target: "node24",
    splitting: true,
    sourcemap: true,
    plugins: [externalThirdParties, childAddresses],
  });
  await build({
    ...common,
    entryPoints: [{ in: "packages/cli/bin/server-index.mjs", out: "index" }],
    // An older Node must be able to read this one, to start the pinned Node.
    target: "node18",
  });
  await cp(join(ROOT, FIXTURES), join(dist, "fixtures"), { recursive: true });
}
