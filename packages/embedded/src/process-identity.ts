/**
 * Which process a file on disk speaks of. A pid alone does not say: it is used again. Where /proc exists, the moment
 * the process started (and the boot it started in) is part of its name; elsewhere the pid has to do.
 */
import { readFile } from "node:fs/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** `BOOT_ID:START_TICKS`, or null where the system does not tell. */
  readonly started: string | null;
}

export async function identifyProcess(pid: number = process.pid): Promise<ProcessIdentity> {
  return { pid, started: await startOf(pid) };
}

/** False for a process that is gone, for a zombie, and for another process under the same pid. */
export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  if (!answersSignals(identity.pid)) return false;
  return identity.started === null || (await startOf(identity.pid)) === identity.started;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and someone else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets. */
const STATE_FIELD = 0;
const START_TICKS_FIELD = 19;

async function startOf(pid: number): Promise<string | null> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[STATE_FIELD] === "Z" || fields[STATE_FIELD] === "X") return null;
    return `${boot.trim()}:${fields[START_TICKS_FIELD]}`;
  } catch {
    return null;
  }
}
