/**
 * The server process of a data folder: reads its `postmaster.pid`, checks whether it is alive, and ends it.
 * The file remains after a server was killed, and its pid may belong to another program by then.
 */
import { execFile } from "node:child_process";
import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

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

const POLL_MS = 10;

/** null: there is no such file, or it is incomplete. */
export async function readPostmaster(pgData: string): Promise<Postmaster | null> {
  const text = await readFile(join(pgData, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[PID_LINE]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[PORT_LINE]), ready: lines[STATUS_LINE]?.trim() === "ready" };
}

/**
 * Ends the server that an earlier process left running, and removes the file of a dead one. The server is never reused: it may
 * be shutting down at this moment, and a new one starts within a fraction of a second.
 */
export async function endLeftOver(pgData: string): Promise<void> {
  const left = await readPostmaster(pgData);
  if (left === null) return;
  await endPostmaster(left.pid, pgData);
  await rm(join(pgData, "postmaster.pid"), { force: true });
}

/** Fast shutdown (clients are disconnected, the data is written); then an immediate one, which the next start repairs. */
export async function endPostmaster(pid: number, pgData: string, patienceMs = 3000): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    // Checked before each signal, which must never reach another program with the same pid.
    if (!(await isPostmaster(pid, pgData))) return;
    process.kill(pid, signal);
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      await sleep(POLL_MS);
      if (!(await isPostmaster(pid, pgData))) return;
    }
  }
}

/** Whether that process is the server of that folder: not gone, not a zombie, and not another program with the same pid. */
export async function isPostmaster(pid: number, pgData: string): Promise<boolean> {
  try {
    // A server's working directory is its data folder, whatever name of the folder it was started with.
    if (process.platform === "linux") return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(pgData));
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,command=", "-p", String(pid)]);
    return !stdout.startsWith("Z") && stdout.includes("/postgres -D ");
  } catch {
    return false;
  }
}
