/**
 * A lock between processes that uses files only and is free as soon as its holder is gone, however it ended.
 *
 * Removing a stale lock file and creating a new one are two steps, so two processes that find it stale could both succeed.
 * Therefore nothing is ever replaced: each holder creates the next numbered file, which only one process can do, and the
 * highest number holds the lock. The holder removes lower ones; the file of a released lock stays as a mark.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderTrouble } from "./folder-trouble.ts";
import { identifyProcess, isSameProcessAlive, type ProcessIdentity } from "./process-identity.ts";

export interface Lock extends AsyncDisposable {
  readonly identity: ProcessIdentity;
}

export class LockHeldError extends Error {
  override readonly name = "LockHeldError";
  readonly holder: ProcessIdentity;
  constructor(holder: ProcessIdentity) {
    super(`held by process ${holder.pid}`);
    this.holder = holder;
  }
  isRetryable(): boolean {
    return false;
  }
}

/** Each lost round means that another process got further; no process loses this often. */
const MAX_ROUNDS = 100;

/** @throws LockHeldError */
export async function acquireLock(folder: string, identity?: ProcessIdentity): Promise<Lock> {
  const self = identity ?? (await identifyProcess());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const highest = await highestNumber(folder);
    if (highest > 0) {
      const holder = await readHolder(folder, highest);
      if (holder !== null && (await isSameProcessAlive(holder))) throw new LockHeldError(holder);
    }
    const number = highest + 1;
    if (!(await publish(folder, number, self))) continue;
    // Another process may have continued from a number that we did not see: then its number is higher.
    if ((await highestNumber(folder)) !== number) {
      await rm(nameOf(folder, number), { force: true });
      continue;
    }
    await sweep(folder, number);
    return { identity: self, [Symbol.asyncDispose]: () => release(folder, number) };
  }
  throw new Error(`could not lock ${folder}`);
}

/** The file appears complete or not at all. False: another process created this number first. */
async function publish(folder: string, number: number, holder: ProcessIdentity): Promise<boolean> {
  const draft = await writeDraft(folder, holder);
  try {
    await link(draft, nameOf(folder, number));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** On a full disk, or if the folder is gone, nothing can be written; the lock still becomes free when its holder is gone. */
async function release(folder: string, number: number): Promise<void> {
  try {
    await rename(await writeDraft(folder, null), nameOf(folder, number));
  } catch (error) {
    if (folderTrouble(error, folder) === null) throw error;
  }
}

async function writeDraft(folder: string, content: ProcessIdentity | null): Promise<string> {
  const draft = join(folder, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 });
  return draft;
}

async function sweep(folder: string, below: number): Promise<void> {
  const numbers = await listNumbers(folder);
  await Promise.all(numbers.filter((n) => n < below).map((n) => rm(nameOf(folder, n), { force: true })));
}

async function readHolder(folder: string, number: number): Promise<ProcessIdentity | null> {
  try {
    const holder: unknown = JSON.parse(await readFile(nameOf(folder, number), "utf8"));
    return isIdentity(holder) ? holder : null;
  } catch {
    // Removed meanwhile (then we take the next number, and it will not be the highest), or incomplete after a power failure.
    return null;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null || !("pid" in value && "started" in value)) return false;
  return Number.isSafeInteger(value.pid) && (value.started === null || typeof value.started === "string");
}

async function highestNumber(folder: string): Promise<number> {
  return Math.max(0, ...(await listNumbers(folder)));
}

async function listNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number);
}

function nameOf(folder: string, number: number): string {
  return join(folder, String(number));
}
