/**
 * A real Postgres on 127.0.0.1 from npm; it needs neither root nor a container. It finds the programs, creates the folder, and starts
 * the server under a guardian process that ends it with us. Data, password and log are in one folder and survive any crash.
 */
import { join, resolve } from "node:path";
import { forkChild } from "./child.ts";
import { postgresAccount } from "./postgres-account.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import { prepareCluster, SUPERUSER } from "./postgres-cluster.ts";
import type { GuardianReport, GuardianTask } from "./postgres-guardian-child.ts";
import { endLeftOver } from "./postgres-process.ts";

export interface PostgresOptions {
  /** Its own folder; created if it does not exist. Only one process at a time may use it; the caller ensures that. */
  readonly dataDir: string;
  /** A folder with `initdb` and `postgres` of another installation. */
  readonly binDir?: string;
  /** For tests: nothing has to survive a power failure, so nothing is synced to disk. */
  readonly throwaway?: boolean;
  /** The time until the server accepts connections, recovery included. Default: 60,000. */
  readonly readyTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Postgres extends AsyncDisposable {
  /** `postgres://postgres:…@127.0.0.1:PORT/postgres?sslmode=disable` */
  readonly databaseUrl: string;
  /** The pid of the server itself. */
  readonly pid: number;
  /** The pid of the process that stops the server when this one is gone. */
  readonly guardianPid: number;
  /** Resolves when the server is gone, whether stopped or crashed. */
  readonly exited: Promise<unknown>;
}

/**
 * The server must not burden the user's machine: little memory, bounded WAL, a listener on loopback only. The settings that make a
 * commit durable keep Postgres' defaults.
 */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "50",
  shared_buffers: "32MB",
  max_wal_size: "256MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  // Parallel queries need /dev/shm, which is small in a container.
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
    // A guardian that was killed leaves its server running.
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
      // The server is still there only if the guardian itself was killed.
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

/** `ps` shows this name instead of the folder (as root it is a file descriptor): the end of the path, ASCII, at most 63 bytes. */
function clusterName(folder: string): string {
  return folder.replaceAll(/[^\w./-]/g, "?").slice(-63);
}
