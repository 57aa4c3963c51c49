/** The processes that a program has started, found by what they run: from /proc, or from `ps` where there is none. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All below `rootPid` whose command line holds `text`. */
export function descendants(rootPid: number, text: string): readonly Running[] {
  const all = existsSync("/proc/self/stat") ? fromProc() : fromPs();
  const inTree = new Set([rootPid]);
  for (let before = 0; before !== inTree.size;) {
    before = inTree.size;
    for (const { pid, parent } of all) if (inTree.has(parent)) inTree.add(pid);
  }
  return all.filter(({ pid, command }) => pid !== rootPid && inTree.has(pid) && command.includes(text));
}

/** False for a zombie, too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return existsSync("/proc/self/stat") ? !/\) [ZX] /.test(read(`/proc/${pid}/stat`)) : true;
}

function fromProc(): Running[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      // The name of the command stands in brackets and may hold anything.
      const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
      if (parent === undefined) return [];
      return [
        { pid: Number(name), parent: Number(parent), command: read(`/proc/${name}/cmdline`).replaceAll("\0", " ") },
      ];
    });
}

function fromPs(): Running[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
    });
}

/** Empty for a process that has gone meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
