/**
 * Identifies the process that a file on disk names. A pid alone is not enough, because it is reused. If /proc exists, the
 * moment when the process started (and the boot) is added; otherwise the pid must be enough.
 */
import { readFile } from "node:fs/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** `BOOT_ID:START_TICKS`, or null if the system does not report it. */
  readonly started: string | null;
}

export async function identifyProcess(pid: number = process.pid): Promise<ProcessIdentity> {
  return { pid, started: await startOf(pid) };
}

/** False for a process that is gone, for a zombie, and for another process with the same pid. */
export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  if (!answersSignals(identity.pid)) return false;
  return identity.started === null || (await startOf(identity.pid)) === identity.started;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Fields of /proc/PID/stat after the command name, which may itself contain spaces and brackets. */
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
