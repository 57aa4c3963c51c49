/**
 * `npm run build`: the server as plain JavaScript in dist/server, and the functions in dist/functions, bundled as they are
 * deployed. Our own packages are bundled; third parties stay in node_modules for the server, and go in for the functions.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { ROOT } from "./run-step.ts";

/** Modules that run as child processes: each becomes a file of its own beside the server's. */
const CHILDREN = [
  "packages/embedded/src/queue-server-child.ts",
  "packages/embedded/src/table-server-child.ts",
  "packages/embedded/src/postgres-guardian-child.ts",
  "packages/embedded/src/relay-server-child.ts",
  "packages/server/src/consumer-child.ts",
];
const FUNCTIONS = ["reader", "consumer", "control", "status"];

/** Our packages are source, not modules to look up at run time. */
const externalThirdParties: Plugin = {
  name: "external-third-parties",
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@firehose-backfill/") ? undefined : { path, external: true },
    );
  },
};

/** A child is forked by the address of its module: after the build that is the file beside. */
const childAddresses: Plugin = {
  name: "child-addresses",
  setup(builder) {
    builder.onLoad({ filter: /packages\/(embedded|server)\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replaceAll(
        /new URL\("\.\/([\w-]+)\.ts", import\.meta\.url\)/g,
        'new URL("./$1.js", import.meta.url)',
      );
      return { contents, loader: "ts" };
    });
  },
};

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  logLevel: "warning",
} as const;

await rm(join(ROOT, "dist"), { recursive: true, force: true });
await build({
  ...common,
  entryPoints: [
    { in: "packages/cli/src/server-main.ts", out: "main" },
    ...CHILDREN.map((path) => ({ in: path, out: nameOf(path) })),
  ],
  outdir: "dist/server",
  splitting: true,
  sourcemap: true,
  plugins: [externalThirdParties, childAddresses],
});
await build({
  ...common,
  entryPoints: [{ in: "packages/cli/bin/server-index.mjs", out: "index" }],
  outdir: "dist/server",
  bundle: false,
});
await build({
  ...common,
  entryPoints: FUNCTIONS.map((name) => `functions/${name}.ts`),
  outdir: "dist/functions",
  minify: true,
  // What CommonJS dependencies expect to find in an ES module.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
console.log("dist/server/index.js and dist/functions are built");

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ts$/, "");
}
