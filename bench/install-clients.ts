/** Clients that only benchmarks use have a folder with a lock of its own, which is installed at the first use. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../scripts/run-step.ts";

export const CLIENTS = join(ROOT, "bench", "contenders", "clients");

/** Does nothing when the lock is installed. Throws when npm fails; what it printed is on stderr. */
export function installClients(): void {
  const script = join(ROOT, "scripts", "install-folder.mjs");
  const message = "Installing bench/contenders/clients/node_modules/ (some seconds, 80 MB, once) …";
  const { status } = spawnSync(process.execPath, [script, CLIENTS, message], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`the packages of ${CLIENTS} could not be installed`);
}
