/** Which process listens on a port of this machine, if the system shows it: for a message, never for a decision. */
import { readdir, readFile, readlink } from "node:fs/promises";

const LISTENING = "0A";

/** `pid 4711 (node)`; null if the system does not show it. */
export async function portHolder(port: number): Promise<string | null> {
  try {
    const inodes = await listeningInodes(port);
    if (inodes.size === 0) return null;
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      if (!(await holdsOne(pid, inodes))) continue;
      const name = (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
      return `pid ${pid} (${name})`;
    }
  } catch {
    // Not Linux, or the process has ended meanwhile.
  }
  return null;
}

async function listeningInodes(port: number): Promise<ReadonlySet<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const rows = tables.flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)));
  const found = rows.filter(([, local, , state]) => local?.endsWith(`:${wanted}`) === true && state === LISTENING);
  return new Set(found.map((row) => `socket:[${row[9]}]`));
}

async function holdsOne(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const file of files) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => "");
    if (sockets.has(target)) return true;
  }
  return false;
}
