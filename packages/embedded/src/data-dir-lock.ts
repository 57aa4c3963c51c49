/**
 * A lock between processes by files alone, free again when its holder is gone however it ended.
 *
 * Removing a stale lock file and making a new one are two steps, and two processes that both found it stale can each
 * remove and make. So nothing is ever replaced: each holder makes the next numbered file, which only one can, and the
 * highest number holds the lock. Lower ones are swept by the holder; a released one stays as a mark.
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

/** Each round lost means that someone else got further; nobody loses this often. */
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
    // Someone may have gone on from a number that we never saw: then theirs is the higher one.
    if ((await highestNumber(folder)) !== number) {
      await rm(nameOf(folder, number), { force: true });
      continue;
    }
    await sweep(folder, number);
    return { identity: self, [Symbol.asyncDispose]: () => release(folder, number) };
  }
  throw new Error(`could not lock ${folder}`);
}

/** Appears with its content, or not at all. False: another process made this number first. */
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

/** On a full disk, or where the folder is gone, nothing can be written; the lock is free all the same once its holder is gone. */
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
    // Swept meanwhile (then the next number is taken and ours will not be the highest), or torn by a power failure.
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
