/** Memory and CPU of a process and all that it started, by what each is, from /proc. Linux only, as the benchmarks are. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  readonly name: string;
  readonly pid: number;
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Processes of one name are summed: Postgres is many. */
export function processTree(rootPid: number): readonly ProcessFigures[] {
  const sums = new Map<string, ProcessFigures>();
  for (const { pid, name, rssMb, cpuSeconds } of processesOf(rootPid)) {
    const label = pid === rootPid ? "backfill" : name;
    const sum = sums.get(label);
    sums.set(label, {
      name: label,
      pid,
      rssMb: Math.round((sum?.rssMb ?? 0) + rssMb),
      cpuSeconds: Number(((sum?.cpuSeconds ?? 0) + cpuSeconds).toFixed(2)),
    });
  }
  return [...sums.values()];
}

/**
 * Stops a process and all that it started, as a machine that hangs does; the returned function lets them go on. The root
 * comes first: it can start nothing that would be missed.
 */
export function freezeTree(rootPid: number): () => void {
  process.kill(rootPid, "SIGSTOP");
  const pids = processesOf(rootPid).map(({ pid }) => pid);
  const send = (signal: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended meanwhile.
      }
    }
  };
  send("SIGSTOP");
  return () => send("SIGCONT");
}

interface ProcessEntry extends ProcessFigures {
  readonly parent: number;
}

function processesOf(rootPid: number): readonly ProcessEntry[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(Number(pid)));
  const inTree = new Set([rootPid]);
  for (let grew = true; grew;) {
    grew = false;
    for (const { pid, parent } of all) {
      if (inTree.has(parent) && !inTree.has(pid)) {
        inTree.add(pid);
        grew = true;
      }
    }
  }
  return all.filter(({ pid }) => inTree.has(pid));
}

function readProcess(pid: number): ProcessEntry[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const script = words.find((word) => /-child\.(ts|js)$/.test(word));
    const name =
      script === undefined ? (words[0] ?? "").split(/[/: ]/).findLast((part) => part !== "") : script.split("/").at(-1);
    return [
      {
        pid,
        parent: Number(fields[1]),
        name: (name ?? "?").replace(/(-server)?-child\.(ts|js)$/, ""),
        // Shared pages of Postgres are counted in each of its processes.
        rssMb: (Number(fields[21]) * PAGE_BYTES) / 2 ** 20,
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      },
    ];
  } catch {
    return [];
  }
}
