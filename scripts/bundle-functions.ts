/**
 * Bundles the functions as SST does: minified ES modules, with the names that CommonJS dependencies expect. `sst deploy`
 * does this by itself; the build and the tests do it here, so that they measure and run the same code that
 * is deployed.
 */
import { build, type Metafile } from "esbuild";
import { BUNDLING } from "../infra/bundling.ts";
import { ROOT } from "./run-step.ts";

export const FUNCTIONS = ["reader", "consumer", "control", "status"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export interface BundledFunction {
  readonly name: FunctionName;
  /** What is loaded at the start: the function's own file and the parts that it imports. Without source maps. */
  readonly bytes: number;
  /** The parts that are loaded when they are needed. */
  readonly lazyBytes: number;
  /** What is loaded at the start, by origin: a package of npm, or one of ours. */
  readonly sources: Readonly<Record<string, number>>;
}

/** Writes `NAME.mjs` into `outdir`, and the parts that it imports. */
export async function bundleFunctions(outdir: string): Promise<readonly BundledFunction[]> {
  return Promise.all(FUNCTIONS.map((name) => bundleFunction(name, outdir)));
}

async function bundleFunction(name: FunctionName, outdir: string): Promise<BundledFunction> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${name}.ts`],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: BUNDLING.splitting,
    minify: true,
    keepNames: true,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "esnext",
    mainFields: ["module", "main"],
    external: ["sharp", "pg-native", ...BUNDLING.esbuild.external],
    banner: { js: BANNER },
    logLevel: "warning",
  });
  const outputs = Object.entries(metafile.outputs);
  const atStart = loadedAtStart(metafile, `functions/${name}.ts`);
  const sizeOf = (isWanted: (path: string) => boolean) =>
    outputs.reduce((sum, [path, { bytes }]) => (isWanted(path) ? sum + bytes : sum), 0);
  const sources: Record<string, number> = {};
  for (const [path, { inputs }] of outputs) {
    if (!atStart.has(path)) continue;
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const owner = ownerOf(input);
      sources[owner] = (sources[owner] ?? 0) + bytesInOutput;
    }
  }
  return {
    name,
    bytes: sizeOf((path) => atStart.has(path)),
    lazyBytes: sizeOf((path) => !atStart.has(path)),
    sources,
  };
}

/** The file of the entry point, and all that is imported from there without `import()`. */
function loadedAtStart({ outputs }: Metafile, entryPoint: string): ReadonlySet<string> {
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === entryPoint);
  if (entry === undefined) throw new Error(`esbuild made nothing of ${entryPoint}`);
  const loaded = new Set([entry]);
  // A set hands out what is added while it is walked, too.
  for (const path of loaded)
    for (const { path: imported, kind } of outputs[path]?.imports ?? [])
      if (kind === "import-statement" && imported in outputs) loaded.add(imported);
  return loaded;
}

/** Copied from SST without changes. */
export const BANNER = [
  `import { createRequire as topLevelCreateRequire } from 'module';`,
  `const require = topLevelCreateRequire(import.meta.url);`,
  `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"`,
  `const __filename = topLevelFileUrlToPath(import.meta.url)`,
  `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))`,
].join("\n");

function ownerOf(path: string): string {
  const [, npm] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  return npm ?? path.split("/").slice(0, 2).join("/");
}
