/** Checks the machine: Node, the data folder and its disk, memory, the page's port. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { findServer } from "@firehose-backfill/embedded/data-dir";
import { limitTooLow } from "@firehose-backfill/throttle/memory-guard";
import { type Check, fail, ok, warn } from "./check.ts";

const NEEDED_NODE = 24;
const MB = 1024 * 1024;
/** The embedded database uses 50 MB even while it is empty. */
const LEAST_FREE_MB = 500;
const COMFORTABLE_FREE_MB = 2_048;
/** Share of the machine's memory: above it, the kernel ends the process before the memory guard acts. */
const LARGEST_SHARE = 0.8;

export function checkNode(version: string, canCollect: boolean): Check {
  if (Number(version.split(".", 1)[0]) < NEEDED_NODE)
    return fail("node", `Node ${version}`, `Node ${NEEDED_NODE} or later is needed: npm ci brings it`);
  if (!canCollect)
    return warn(
      "node",
      `Node ${version}, without --expose-gc`,
      "start it with node --expose-gc, or with the firehose-backfill command; then pauses for memory are shorter",
    );
  return ok("node", `Node ${version}`);
}

export async function checkDataDir(dataDir: string): Promise<Check> {
  const folder = resolve(dataDir);
  const standing = await nearestThatExists(folder);
  if (!(await stat(standing)).isDirectory())
    return fail("data folder", `${standing} is a file`, "set BACKFILL_DATA_DIR to a folder, or move the file away");
  try {
    await access(standing, constants.W_OK | constants.X_OK);
  } catch {
    return fail(
      "data folder",
      `${standing} cannot be written to`,
      "give this user the right, or set BACKFILL_DATA_DIR",
    );
  }
  const { bavail, bsize } = await statfs(standing);
  const freeMb = Math.floor((bavail * bsize) / MB);
  const found = `${folder}, ${freeMb.toLocaleString("en-US")} MB free`;
  const advice = "free some space, set BACKFILL_DATA_DIR to another disk, or use a database elsewhere (DATABASE_URL)";
  if (freeMb < LEAST_FREE_MB) return fail("data folder", found, advice);
  return freeMb < COMFORTABLE_FREE_MB ? warn("data folder", found, advice) : ok("data folder", found);
}

async function nearestThatExists(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await access(path);
      return path;
    } catch (error) {
      // Nothing can exist below a file (ENOTDIR); the file is the problem.
      if (dirname(path) === path) throw error;
    }
  }
}

export function checkMemory(
  settings: Pick<Settings, "maxMemoryMb">,
  machine: { readonly rssBytes: number; readonly constrainedBytes: number },
): Check {
  const tooLow = limitTooLow(settings.maxMemoryMb, machine.rssBytes);
  if (tooLow !== null) return fail("memory", tooLow, "raise BACKFILL_MAX_MEMORY_MB");
  // A process without a memory limit reads 0, or more than the machine has.
  const total = totalmem();
  const { constrainedBytes } = machine;
  const isConstrained = constrainedBytes > 0 && constrainedBytes < total;
  const ofMb = Math.floor((isConstrained ? constrainedBytes : total) / MB);
  const found = `a limit of ${settings.maxMemoryMb} MB, of ${ofMb.toLocaleString("en-US")} MB here`;
  if (settings.maxMemoryMb <= ofMb * LARGEST_SHARE) return ok("memory", found);
  return warn(
    "memory",
    found,
    "lower BACKFILL_MAX_MEMORY_MB, because the system would kill the process before it reaches the limit",
  );
}

export async function checkPort(settings: Pick<Settings, "port" | "dataDir">): Promise<Check> {
  const server = await findServer(settings.dataDir);
  if (server !== null) return ok("process", `already running here, pid ${server.pid}, ${server.url}`);
  if (settings.port === 0) return ok("process", "none yet; its page takes any free port");
  const problem = await tryPort(settings.port);
  if (problem === null) return ok("process", `none yet; its page's port ${settings.port} is free`);
  return fail("process", `port ${settings.port}: ${problem}`, "set PORT to another one, or to 0 for any free one");
}

function tryPort(port: number): Promise<string | null> {
  const { promise, resolve: answer } = Promise.withResolvers<string | null>();
  const server = createServer();
  server.once("error", (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
  server.listen(port, "127.0.0.1", () => server.close(() => answer(null)));
  return promise;
}
