/**
 * A real Postgres on 127.0.0.1 from npm, no root and no container needed: programs found, folder made, server started
 * under a guardian process that ends it with us. Data, password and log live in one folder and outlast any crash.
 */
import { join, resolve } from "node:path";
import { forkChild } from "./child.ts";
import { postgresAccount } from "./postgres-account.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import { prepareCluster, SUPERUSER } from "./postgres-cluster.ts";
import type { GuardianReport, GuardianTask } from "./postgres-guardian-child.ts";
import { endLeftOver } from "./postgres-process.ts";

export interface PostgresOptions {
  /** Its own folder; made if it does not exist. One process at a time works on it (the caller sees to that). */
  readonly dataDir: string;
  /** A folder with `initdb` and `postgres` of another installation. */
  readonly binDir?: string;
  /** For tests: nothing has to survive a power failure, so nothing is synced to disk. */
  readonly throwaway?: boolean;
  /** From the start of the server until it accepts connections, recovery included. 60,000 unless told otherwise. */
  readonly readyTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Postgres extends AsyncDisposable {
  /** `postgres://postgres:…@127.0.0.1:PORT/postgres?sslmode=disable` */
  readonly databaseUrl: string;
  /** Of the server itself. */
  readonly pid: number;
  /** Of the process that stops the server when this one is gone. */
  readonly guardianPid: number;
  /** Resolves when the server is gone, wanted or not. */
  readonly exited: Promise<unknown>;
}

/**
 * A guest on somebody's machine: little memory, bounded WAL, no listener but loopback. What makes a commit durable is
 * left as Postgres has it.
 */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "50",
  shared_buffers: "32MB",
  max_wal_size: "256MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  // Parallel queries ask for /dev/shm, of which a container has little.
  max_parallel_workers_per_gather: "0",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_checkpoints: "off",
} as const;

const READY_TIMEOUT_MS = 60_000;

/**
 * Resolves once the server accepts connections.
 * @throws PostgresBinariesError, PostgresClusterError, or ChildError with the end of the server's log
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const folder = resolve(options.dataDir);
  const account = postgresAccount();
  const binDir = options.binDir ?? (await findPostgresBinaries(account));
  const throwaway = options.throwaway ?? false;
  options.signal?.throwIfAborted();
  const cluster = await prepareCluster({ folder, binDir, account, sync: !throwaway, signal: options.signal });
  await endLeftOver(cluster.pgData);
  const settings = { ...SETTINGS, ...(throwaway ? { fsync: "off" } : {}), cluster_name: clusterName(folder) };
  const task: GuardianTask = { folder, binDir, account, settings };
  const guardian = await forkChild({
    entry: new URL("./postgres-guardian-child.ts", import.meta.url),
    args: [JSON.stringify(task)],
    readyTimeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
    signal: options.signal,
  }).catch(async (error: unknown) => {
    // A guardian that had to be killed leaves its server behind.
    await endLeftOver(cluster.pgData);
    throw error;
  });
  const { pid, port } = readReport(guardian.ready);
  return {
    databaseUrl: `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/postgres?sslmode=disable`,
    pid,
    guardianPid: guardian.pid,
    exited: guardian.exited,
    async [Symbol.asyncDispose]() {
      await guardian[Symbol.asyncDispose]();
      // Nothing is left unless the guardian itself was killed.
      await endLeftOver(join(folder, "data"));
    },
  };
}

function readReport(ready: unknown): GuardianReport {
  if (typeof ready === "object" && ready !== null && "pid" in ready && "port" in ready) {
    const { pid, port } = ready;
    if (typeof pid === "number" && typeof port === "number") return { pid, port };
  }
  throw new TypeError("the guardian reported something else than a pid and a port");
}

/** Shown by `ps`, where the folder is not (as root it is a file descriptor): its end, which tells most. ASCII, at most 63 bytes. */
function clusterName(folder: string): string {
  return folder.replaceAll(/[^\w./-]/g, "?").slice(-63);
}
