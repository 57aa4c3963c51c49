/**
 * Bundles the functions as SST does: one minified ES module each, with the names that CommonJS dependencies expect. `sst deploy`
 * does this by itself; the build and the tests do it here, so that they measure and run the same code that
 * is deployed.
 */
import { build } from "esbuild";
import { NOT_BUNDLED } from "../infra/bundling.ts";
import { ROOT } from "./run-step.ts";

export const FUNCTIONS = ["reader", "consumer", "control", "status"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export interface BundledFunction {
  readonly name: FunctionName;
  /** Size without its source map. */
  readonly bytes: number;
  /** Size by origin: a package of npm, or one of ours. */
  readonly sources: Readonly<Record<string, number>>;
}

/** Writes `NAME.mjs` into `outdir`. */
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
    minify: true,
    keepNames: true,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "esnext",
    mainFields: ["module", "main"],
    external: ["sharp", "pg-native", ...NOT_BUNDLED],
    banner: { js: BANNER },
    logLevel: "warning",
  });
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error(`esbuild made nothing of functions/${name}.ts`);
  const sources: Record<string, number> = {};
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    const owner = ownerOf(path);
    sources[owner] = (sources[owner] ?? 0) + bytesInOutput;
  }
  return { name, bytes: output.bytes, sources };
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
