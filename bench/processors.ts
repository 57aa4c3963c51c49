/**
 * Gives the database and its other clients one processor and the run another one, as on AWS, where only the run's statements meet
 * production. Linux only: `taskset` sets the processors of processes, and their later children inherit them.
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

const DATABASE = "0";
const RUN = "1";

export interface Processors {
  /** Whether they are separate. */
  readonly arePinned: boolean;
  /** The arguments before a command that belongs to the database's side. */
  readonly databaseSide: readonly string[];
  /** For processes that run already, with all their threads and later children. */
  pinDatabase(pid: number): void;
  pinRun(pid: number): void;
}

const SHARED: Processors = { arePinned: false, databaseSide: [], pinDatabase: () => {}, pinRun: () => {} };

/** `isWanted` false, or a machine that cannot do it: all share all processors; the second case is logged. */
export function takeProcessors(isWanted: boolean): Processors {
  if (!isWanted) return SHARED;
  const why = whyNot();
  if (why !== null) {
    console.error(`database and run share the processors: ${why}`);
    return SHARED;
  }
  return {
    arePinned: true,
    databaseSide: ["taskset", "--cpu-list", DATABASE],
    pinDatabase: (pid) => pin(pid, DATABASE),
    pinRun: (pid) => pin(pid, RUN),
  };
}

function whyNot(): string | null {
  if (cpus().length < 2) return "there is only one";
  try {
    pin(process.pid, RUN);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "taskset fails";
  }
}

function pin(pid: number, processor: string): void {
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", processor, String(pid)], { stdio: "ignore" });
}
