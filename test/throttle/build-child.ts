/** A child process of a test of memory as one file of JavaScript. From sources, Node would use 20 MB for stripping types. */
import { build } from "esbuild";
import { BANNER } from "../../scripts/bundle-functions.ts";
import { ROOT } from "../../scripts/run-step.ts";

/** `source`: from the project's folder. */
export async function buildChild(source: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    banner: { js: BANNER },
    logLevel: "warning",
  });
}
