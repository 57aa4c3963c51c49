/** Memory and CPU of a process and all its descendants, by name, from /proc. Linux only, as all benchmarks. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  readonly name: string;
  readonly pid: number;
  readonly rssMb: number;
  readonly cpuSeconds: number;
  readonly endedChildrenCpuSeconds: number;
}

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/**
 * Stops a process and all its descendants, like a machine that hangs; the returned function continues them. The root
 * is stopped first, so that it cannot start a process that we would miss.
 */
export function freezeTree(rootPid: number): () => void {
  process.kill(rootPid, "SIGSTOP");
  const pids = processTree(rootPid).map(({ pid }) => pid);
  const send = (signal: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // The process has ended meanwhile.
      }
    }
  };
  send("SIGSTOP");
  return () => send("SIGCONT");
}

/**
 * The process and all its descendants, from the kernel's lists of children: a search through all processes would
 * cost more CPU than it measures.
 */
export function processTree(rootPid: number): readonly ProcessFigures[] {
  const found: ProcessFigures[] = [];
  const pids = [rootPid];
  for (let pid = pids.shift(); pid !== undefined; pid = pids.shift()) {
    try {
      found.push(readProcess(pid));
      pids.push(...childrenOf(pid));
    } catch {
      // The process has ended meanwhile.
    }
  }
  return found;
}

/** CPU time of a process and of everything that it has ever started, also of what has ended. */
export function cpuSecondsOfTree(rootPid: number): number {
  return processTree(rootPid).reduce(
    (sum, { cpuSeconds, endedChildrenCpuSeconds }) => sum + cpuSeconds + endedChildrenCpuSeconds,
    0,
  );
}

function childrenOf(pid: number): readonly number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim());
  return lists.flatMap((list) => (list === "" ? [] : list.split(" ").map(Number)));
}

function readProcess(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    name: nameOf(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")),
    // Postgres' shared pages are counted in each of its processes.
    rssMb: (Number(fields[21]) * PAGE_BYTES) / 2 ** 20,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    endedChildrenCpuSeconds: (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND,
  };
}

/** `queue` for `…/queue-server-child.ts`, `postgres` for `postgres: user database 127.0.0.1(5432) INSERT`. */
function nameOf(words: readonly string[]): string {
  const script = words.find((word) => /-child\.(ts|js)$/.test(word));
  const name = script ?? (words[0] ?? "").replace(/:.*$/, "");
  return (name.split("/").at(-1) ?? "?").replace(/(-server)?-child\.(ts|js)$/, "");
}
