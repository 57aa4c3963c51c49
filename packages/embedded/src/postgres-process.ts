/**
 * The server process of a data folder, as its `postmaster.pid` tells of it: read, judged alive or not, ended.
 * The file outlives a server that was killed, and its pid may be another program's by now.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** It accepts connections. */
  readonly ready: boolean;
}

/** Lines of postmaster.pid, from 0. */
const PID_LINE = 0;
const PORT_LINE = 3;
const STATUS_LINE = 7;

/** null: there is no such file, or it is not written to the end. */
export async function readPostmaster(pgData: string): Promise<Postmaster | null> {
  const text = await readFile(join(pgData, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[PID_LINE]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[PORT_LINE]), ready: lines[STATUS_LINE]?.trim() === "ready" };
}

/**
 * Ends the server that an earlier process left behind, and removes what a dead one left. It is never taken over: it may
 * be shutting down this very moment, and a fresh one is up within a fraction of a second.
 */
export async function endLeftOver(pgData: string): Promise<void> {
  const left = await readPostmaster(pgData);
  if (left === null) return;
  if (await isPostgres(left.pid)) await endPostmaster(left.pid);
  await rm(join(pgData, "postmaster.pid"), { force: true });
}

/** Fast shutdown (clients are cut off, the data is written); then an immediate one, which the next start repairs. */
export async function endPostmaster(pid: number, patienceMs = 3000): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!kill(pid, signal)) return;
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      if (!(await isPostgres(pid))) return;
      await sleep(10);
    }
  }
}

/** False for a process that is gone, a zombie, and another program under the same pid. */
export async function isPostgres(pid: number): Promise<boolean> {
  if (!kill(pid, 0)) return false;
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("postgres");
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ENOENT" && process.platform === "linux";
    return !gone;
  }
}

/** False: there is no such process, or it is not ours to signal. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
