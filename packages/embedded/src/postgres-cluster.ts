/**
 * The data folder of the embedded Postgres: created once, with its own password. `data` gets its name only when it is
 * complete, so an interrupted start is repeated from the beginning.
 */
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Account, reachFolder } from "./postgres-account.ts";
import { postgresMajor } from "./postgres-binaries.ts";

/** These programs cannot use the folder. */
export class PostgresClusterError extends Error {
  override readonly name = "PostgresClusterError";
  isRetryable(): boolean {
    return false;
  }
}

export interface Cluster {
  /** PGDATA, inside `folder`. */
  readonly pgData: string;
  readonly password: string;
}

export interface ClusterOptions {
  /** An absolute path; contains `data`, `password` and the log. */
  readonly folder: string;
  readonly binDir: string;
  readonly account: Account;
  /** Whether initdb syncs its files to disk. */
  readonly sync: boolean;
  /** If it aborts while the folder is created, initdb is ended, and the next start repeats it. */
  readonly signal?: AbortSignal | undefined;
}

export const SUPERUSER = "postgres";

/** @throws PostgresClusterError */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, binDir, account } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (account.uid !== undefined) await chmod(folder, 0o711);
  const pgData = join(folder, "data");
  const major = await readFile(join(pgData, "PG_VERSION"), "utf8").catch(() => null);
  if (major === null) {
    const password = randomBytes(24).toString("base64url");
    await writeFile(join(folder, "password"), `${password}\n`, { mode: 0o600 });
    await initialise(options);
    return { pgData, password };
  }
  const wanted = await postgresMajor(binDir, account);
  if (major.trim() !== wanted) {
    throw new PostgresClusterError(
      `${pgData} was made by Postgres ${major.trim()} and cannot be read by Postgres ${wanted}`,
    );
  }
  if (account.uid !== undefined && (await stat(pgData)).uid !== account.uid) {
    const mend = `chown -R ${account.uid}:${account.gid ?? account.uid} ${pgData}`;
    throw new PostgresClusterError(
      `${pgData} was made by another user, or copied by root; run as that user, or as root: ${mend}`,
    );
  }
  return { pgData, password: (await readFile(join(folder, "password"), "utf8")).trim() };
}

async function initialise({ folder, binDir, account, sync, signal }: ClusterOptions): Promise<void> {
  const draft = join(folder, "data.new");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  // initdb reads the password from a file, with the rights of the account that it runs as.
  const passwordFile = join(folder, "password.new");
  await writeFile(passwordFile, await readFile(join(folder, "password")), { mode: 0o600 });
  for (const path of [draft, passwordFile]) {
    if (account.uid !== undefined) await chown(path, account.uid, account.gid ?? account.uid);
  }
  await using reach = await reachFolder(folder, account);
  const args = [
    `--pgdata=${join(reach.path, "data.new")}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${join(reach.path, "password.new")}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-instructions",
    ...(sync ? [] : ["--no-sync"]),
  ];
  try {
    await run(join(binDir, "initdb"), args, { account, reach, signal });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, join(folder, "data"));
}

/** @throws PostgresClusterError with the program's output */
async function run(
  program: string,
  args: readonly string[],
  options: {
    readonly account: Account;
    readonly reach: { readonly cwd: string; readonly fds: readonly number[] };
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { account, reach } = options;
  const child = spawn(program, args, {
    ...account,
    cwd: reach.cwd,
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "pipe", "pipe", ...reach.fds],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  const code = await new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (exit, signal) => resolve(exit ?? signal ?? "gone"));
  });
  if (code !== 0) throw new PostgresClusterError(`initdb failed (${code}):\n${said.slice(-2000)}`);
}
