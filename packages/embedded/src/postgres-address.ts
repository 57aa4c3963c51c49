/** Finds the address of the embedded Postgres of a data folder, for a process that did not start it. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataDirError } from "./data-dir.ts";
import { folderTrouble } from "./folder-trouble.ts";
import { SUPERUSER } from "./postgres-cluster.ts";

/** A line of `postmaster.pid`, which Postgres writes: pid, folder, start, port. */
const PORT_LINE = 3;

/** null: no server runs there, according to its files. Only the folder's owner can read them. */
export async function findPostgresUrl(dataDir: string): Promise<string | null> {
  const folder = join(resolve(dataDir), "postgres");
  try {
    const [password, pidFile] = await Promise.all([
      readFile(join(folder, "password"), "utf8"),
      readFile(join(folder, "data", "postmaster.pid"), "utf8"),
    ]);
    const port = Number(pidFile.split("\n")[PORT_LINE]);
    if (!Number.isInteger(port) || port < 1) return null;
    return `postgres://${SUPERUSER}:${password.trim()}@127.0.0.1:${port}/postgres?sslmode=disable`;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    const trouble = folderTrouble(error, folder);
    if (trouble === null) throw error;
    throw new DataDirError(trouble, { cause: error });
  }
}
