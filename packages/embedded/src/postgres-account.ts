/**
 * The account that Postgres runs as, and how that account reaches its files. Postgres refuses to run as root. If we are root, it
 * runs as nobody, who can neither create a user nor pass through a folder like /root. So the folder is opened first and
 * passed on as file descriptor 3: `/proc/self/fd/3` leads into it, whatever the folders above it forbid.
 */
import { access, open } from "node:fs/promises";
import { tmpdir } from "node:os";

/** Options for `child_process.spawn`. Empty: our own account. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

const NOBODY = 65_534;
const HANDED_ON = "/proc/self/fd/3";

export function postgresAccount(): Account {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/** A folder, in the form in which a child of that account can use it. */
export interface Reach extends AsyncDisposable {
  /** The folder's path in the child. */
  readonly path: string;
  /** The child's stdio from 3 on. */
  readonly fds: readonly number[];
  /** A working directory that the child may enter. */
  readonly cwd: string;
}

export async function reachFolder(folder: string, account: Account): Promise<Reach> {
  if (account.uid === undefined || !(await exists("/proc/self/fd"))) {
    return { path: folder, fds: [], cwd: folder, [Symbol.asyncDispose]: async () => {} };
  }
  const handle = await open(folder);
  return { path: HANDED_ON, fds: [handle.fd], cwd: tmpdir(), [Symbol.asyncDispose]: () => handle.close() };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
