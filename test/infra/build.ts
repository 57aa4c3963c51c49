/**
 * Bundles the program as SST's CLI does before it hands it to the engine: esbuild, the providers and components as
 * globals, the file inside `.sst/platform` so that the providers' SDKs are found. The app is not baked in but read from
 * a global, so that one bundle serves all stages; it is an empty object at first, as components look at it while they load.
 */
import { build, type Plugin } from "esbuild";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { PLATFORM, ROOT } from "./platform.ts";

/** A deliberate fault in the infra's own source. */
export interface SourceFault {
  /** Relative to the root: `infra/queue.ts`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Program {
  readonly file: string;
  [Symbol.asyncDispose](): Promise<void>;
}

const BANNER = `
import { createRequire as topLevelCreateRequire } from "node:module";
const require = topLevelCreateRequire(import.meta.url);
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "node:url";
const __filename = topLevelFileUrlToPath(import.meta.url);
const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url));
globalThis.synthApp = {};
`;

/** On the first line, so that a stack trace keeps its line numbers. */
const GLOBALS = `import * as aws from "@pulumi/aws"; import * as sst from "${PLATFORM}/src/components/index.ts";`;

const EXTERNAL = [
  "@pulumi/*",
  "@pulumiverse/*",
  "@aws-sdk/*",
  "esbuild",
  "archiver",
  "glob",
  "prettier",
  "undici",
  "unenv",
  "vite",
];

/** @throws when the program does not build, or when a fault's text is not in its file any more. */
export async function buildProgram(faults: readonly SourceFault[] = []): Promise<Program> {
  const folder = await mkdtemp(`${PLATFORM}/synth-`);
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const file = `${folder}/program.mjs`;
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: [`${ROOT}test/infra/synth-entry.ts`],
      outfile: file,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node24",
      mainFields: ["module", "main"],
      logLevel: "silent",
      banner: { js: BANNER },
      inject: [`${PLATFORM}/src/shim/run.js`],
      define: { $app: "globalThis.synthApp", $cli: "globalThis.synthCli", $dev: "globalThis.synthDev" },
      external: EXTERNAL,
      plugins: [asSstReadsIt(faults)],
    });
    return { file, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The program's own files see the providers and components as globals. */
function asSstReadsIt(faults: readonly SourceFault[]): Plugin {
  return {
    name: "as-sst-reads-it",
    setup(esbuild) {
      esbuild.onLoad({ filter: /\/(infra\/[^/]+|sst\.config)\.ts$/ }, async ({ path }) => {
        if (path.startsWith(`${ROOT}test/`)) return undefined;
        let source = await readFile(path, "utf8");
        for (const { file, find, replace } of faults) {
          if (path !== ROOT + file) continue;
          if (!source.includes(find)) throw new Error(`${file} no longer contains: ${find}`);
          source = source.replace(find, replace);
        }
        return { contents: `${GLOBALS}${source}`, loader: "ts" };
      });
    },
  };
}
