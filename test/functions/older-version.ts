/**
 * The bundles of an older version of this repository, out of its git history: the files of that commit, bundled by that
 * commit's own script, on the dependencies that are installed now.
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../scripts/run-step.ts";

const run = promisify(execFile);
const OURS = "@firehose-backfill";

/** False in a download without history, and in a clone that has only the last commits. */
export async function hasCommit(commit: string): Promise<boolean> {
  return run("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT }).then(
    () => true,
    () => false,
  );
}

/** The file of that commit. */
export async function fileOf(commit: string, path: string): Promise<string> {
  const { stdout } = await run("git", ["show", `${commit}:${path}`], { cwd: ROOT });
  return stdout;
}

/** Into `folder`, which it creates. The result is the folder of the bundles. */
export async function bundleCommit(commit: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const archive = `${folder}.tar`;
  await run(
    "git",
    ["archive", "--output", archive, commit, "packages", "functions", "infra", "scripts", "package.json"],
    {
      cwd: ROOT,
    },
  );
  await run("tar", ["-xf", archive, "-C", folder]);
  await linkModules(folder);
  const bundles = join(folder, "bundles");
  const script = `const { bundleFunctions } = await import("./scripts/bundle-functions.ts"); await bundleFunctions(${JSON.stringify(bundles)});`;
  await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
  return bundles;
}

/** All that is installed, but our own packages, which are those of the commit. */
async function linkModules(folder: string): Promise<void> {
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, OURS), { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules")))
    if (name !== OURS && !name.startsWith(".")) await symlink(join(ROOT, "node_modules", name), join(modules, name));
  for (const name of await readdir(join(folder, "packages")))
    await symlink(join(folder, "packages", name), join(modules, OURS, name));
}
