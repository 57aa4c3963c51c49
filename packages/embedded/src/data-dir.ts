/**
 * The folder with the state of the embedded stack (BACKFILL_DATA_DIR). It is private, one process at a time may use it, and its
 * `server.json` tells other commands how to find that process. The stand-ins own the contents.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { acquireLock, type Lock, LockHeldError } from "./data-dir-lock.ts";
import { folderTrouble } from "./folder-trouble.ts";
import { isSameProcessAlive, type ProcessIdentity } from "./process-identity.ts";

/** The content of `server.json`: the process that owns the folder. */
export interface ServerFile {
  readonly pid: number;
  /** Port of its page, on 127.0.0.1. */
  readonly port: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface Claim extends AsyncDisposable {
  /** An absolute path. */
  readonly dataDir: string;
  /** Writes `server.json`. Call it when the page listens: from then on other commands find this process. */
  announce(port: number): Promise<void>;
}

/** Another process uses this folder. `message` can be shown unchanged. */
export class AlreadyRunningError extends Error {
  override readonly name = "AlreadyRunningError";
  readonly pid: number;
  /** `http://127.0.0.1:PORT`; null as long as that process has not announced it. */
  readonly url: string | null;
  constructor(pid: number, url: string | null, options?: ErrorOptions) {
    super(`already running, pid ${pid}${url === null ? "" : `, ${url}`}`, options);
    this.pid = pid;
    this.url = url;
  }
  isRetryable(): boolean {
    return false;
  }
}

/** The folder cannot be used. `message` says why and what to do. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
  isRetryable(): boolean {
    return false;
  }
}

const SERVER_FILE = "server.json";
const LOCK_FOLDER = "lock";

/**
 * Creates the folder if necessary and claims it. If the process of an earlier claim is gone, or another process has its pid, the
 * claim is taken over; if two processes try at the same moment, one wins.
 * @throws AlreadyRunningError, DataDirError
 */
export async function claimDataDir(
  dataDir: string,
  options: { now?: () => number; identity?: ProcessIdentity } = {},
): Promise<Claim> {
  const folder = resolve(dataDir);
  const lock = await inFolder(folder, async () => {
    await prepareFolder(folder);
    return await lockFolder(folder, options.identity);
  });
  const startedAt = new Date((options.now ?? Date.now)()).toISOString();
  // An old server.json is from a dead process: nobody may be sent to its port, which may now belong to another program.
  await rm(join(folder, SERVER_FILE), { force: true });
  return {
    dataDir: folder,
    announce: (port) =>
      inFolder(folder, () =>
        writeServerFile(folder, { pid: lock.identity.pid, port, startedAt, started: lock.identity.started }),
      ),
    async [Symbol.asyncDispose]() {
      await rm(join(folder, SERVER_FILE), { force: true });
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** @throws DataDirError instead of the file system's error */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const trouble = folderTrouble(error, folder);
    if (trouble === null) throw error;
    throw new DataDirError(`${trouble}, or set BACKFILL_DATA_DIR to another folder`, { cause: error });
  }
}

/** The process that owns the folder and has announced itself; null if there is none. */
export async function findServer(dataDir: string): Promise<(ServerFile & { readonly url: string }) | null> {
  const file = await readServerFile(resolve(dataDir));
  if (file === null || !(await isSameProcessAlive(file))) return null;
  return { pid: file.pid, port: file.port, startedAt: file.startedAt, url: urlOf(file.port) };
}

/** Private to its owner; but if root runs Postgres as nobody, nobody must be able to pass through. */
async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return;
  const { mode } = await stat(folder);
  if ((mode & 0o011) !== 0o011) await chmod(folder, (mode & 0o7777) | 0o011);
}

async function lockFolder(folder: string, identity: ProcessIdentity | undefined): Promise<Lock> {
  try {
    return await acquireLock(join(folder, LOCK_FOLDER), identity);
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    const server = await findServer(folder);
    throw new AlreadyRunningError(error.holder.pid, server?.pid === error.holder.pid ? server.url : null, {
      cause: error,
    });
  }
}

type StoredServerFile = ServerFile & ProcessIdentity;

async function writeServerFile(folder: string, file: StoredServerFile): Promise<void> {
  // Renamed into place, so that a reader sees the whole file or none.
  const draft = join(folder, `.${SERVER_FILE}.${randomUUID()}`);
  await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, join(folder, SERVER_FILE));
}

async function readServerFile(folder: string): Promise<StoredServerFile | null> {
  try {
    const file: unknown = JSON.parse(await readFile(join(folder, SERVER_FILE), "utf8"));
    return isServerFile(file) ? file : null;
  } catch {
    return null;
  }
}

function isServerFile(value: unknown): value is StoredServerFile {
  if (typeof value !== "object" || value === null) return false;
  if (!("pid" in value && "port" in value && "startedAt" in value && "started" in value)) return false;
  return (
    Number.isSafeInteger(value.pid) &&
    Number.isSafeInteger(value.port) &&
    typeof value.startedAt === "string" &&
    (value.started === null || typeof value.started === "string")
  );
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}
