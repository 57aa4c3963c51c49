/**
 * Installs the packages of a folder that has a package-lock.json of its own, once for each lock. A folder has its own lock
 * where only a few people need its packages: rivals of the benchmarks, a real PDS, AWS's service models. `npm ci` in the
 * repository then stays small. This is .mjs without types, because it must also run on an older Node than ours.
 *
 *   node scripts/install-folder.mjs FOLDER MESSAGE
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {string} folder absolute
 * @param {string} message is printed to stderr before the installation, which takes a while
 * @param {Readonly<Record<string, string | undefined>>} [env]
 * @param {{ runsScripts?: boolean }} [options] runsScripts: the packages that `allowScripts` names are compiled
 * @throws Error when npm fails; what it printed is on stderr
 */
export function installFolder(folder, message, env = process.env, { runsScripts = false } = {}) {
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  /** Contains the hash of the lock that was installed. */
  const mark = join(folder, "node_modules", ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.error(message);
  const scripts = runsScripts ? "--foreground-scripts" : "--ignore-scripts";
  const args = ["ci", scripts, "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync("npm", args, { cwd: folder, env, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} in ${folder} ended with ${status}`, { cause: error });
  writeFileSync(mark, lock);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, message] = process.argv.slice(2);
  installFolder(resolve(folder ?? "."), message ?? `Installing packages into ${folder}/node_modules …`);
}
