/**
 * Where SST's platform is: the components' source and the providers' SDKs, unpacked by `sst install` into `.sst/`,
 * which is not committed. Without it nothing here can run; `npm run test:infra` installs it.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const PLATFORM = `${ROOT}.sst/platform`;

/** For whatever waits for a child process: two seconds on an idle machine, and half a minute on a busy one. */
export const SLOW_MS = 120_000;

/** True when the platform of the SST version that package.json pins is complete: `sst install` writes the lock last. */
export function isPlatformInstalled(): boolean {
  const lock = `${ROOT}.sst/provider-lock.json`;
  if (!existsSync(lock) || !existsSync(`${PLATFORM}/node_modules/@pulumi/aws/package.json`)) return false;
  return readFileSync(`${PLATFORM}/version`, "utf8").trim() === pinnedVersion();
}

function pinnedVersion(): string {
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { devDependencies: { sst: string } };
  return manifest.devDependencies.sst;
}
