/**
 * Builds the process of a lane as a program is built: JavaScript in a few modules, beside npm's packages. From sources, Node would use
 * 20 MB for stripping types, which no reader has in production, and rss is one of the measured figures.
 */
import { readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { ROOT } from "../scripts/run-step.ts";
import { CLIENTS } from "./install-clients.ts";

const OUTDIR = join(ROOT, "dist", "bench");

const npmStaysOutside: Plugin = {
  name: "npm stays outside",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@firehose-backfill/") ? undefined : { path, external: true },
    );
  },
};

/** Returns the path of lane-child.js; contenders are beside it as in the sources, with the packages of clients/. */
export async function buildLanes(): Promise<string> {
  const contenders = ["contenders/", "contenders/clients/"].map(async (folder) => {
    const files = await readdir(new URL(folder, import.meta.url));
    return files.filter((file) => file.endsWith(".ts")).map((file) => folder + file);
  });
  const child = await buildChild("lane-child", ...(await Promise.all(contenders)).flat());
  const link = join(OUTDIR, "contenders", "clients", "node_modules");
  await rm(link, { recursive: true, force: true });
  await symlink(join(CLIENTS, "node_modules"), link);
  return child;
}

/** Returns the path of the built child, by its name in bench/ without its extension. */
export async function buildChild(name: string, ...beside: readonly string[]): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [`${name}.ts`, ...beside].map((file) => `bench/${file}`),
    outbase: "bench",
    outdir: OUTDIR,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    plugins: [npmStaysOutside],
    logLevel: "warning",
  });
  return join(OUTDIR, `${name}.js`);
}
