/**
 * What these tests need and the repository's own `npm ci` does not bring, each installed once: SST's platform, and this
 * folder's own packages (AWS's service models, IAM's list of actions).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installFolder } from "../../scripts/install-folder.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @throws Error when an installation fails; what it printed is on stderr
 */
export function installMissing(env) {
  if (!isPlatformInstalled()) installPlatform(env);
  installFolder(
    FOLDER,
    "Installing AWS's service models into test/infra/node_modules/ (a few seconds, 36 MB, once) …",
    env,
  );
}

/** @returns {boolean} whether the platform of the pinned version is complete; the same test as platform.ts makes. */
function isPlatformInstalled() {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const version = join(ROOT, ".sst/platform/version");
  return (
    existsSync(join(ROOT, ".sst/provider-lock.json")) &&
    existsSync(join(ROOT, ".sst/platform/node_modules/@pulumi/aws/package.json")) &&
    readFileSync(version, "utf8").trim() === devDependencies.sst
  );
}

function installPlatform(env) {
  console.error("Installing SST's platform into .sst/ (about half a minute, 326 MB, once) …");
  const quiet = { SST_SKIP_DEPENDENCY_CHECK: "1", SST_NO_BUN: "1", SST_TELEMETRY_DISABLED: "1" };
  // The stage gives the CLI a name to work under; nothing of that name is made.
  run("sst", ["install", "--stage", "ci"], { cwd: ROOT, env: { ...env, ...quiet } });
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { ...options, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`, { cause: error });
}
