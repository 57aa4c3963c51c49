/** The program as users start it: a process, its two output streams, its exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/firehose-backfill.mjs", import.meta.url));

export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** null: a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Resolves when stderr contains the text; rejects if the program ends first. */
  said(text: string | RegExp): Promise<void>;
}

/** The settings of this machine do not reach it, only those of `env`. */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  /** The default is a folder without a .env file. */
  cwd: string = tmpdir(),
): Program {
  const child = spawn(process.execPath, ["--expose-gc", BIN, ...args], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      AWS_EC2_METADATA_DISABLED: "true",
      PORT: "0",
      ...env,
    },
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  return {
    pid: child.pid ?? 0,
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (typeof text === "string" ? stderr.includes(text) : text.test(stderr)) {
            listeners.delete(look);
            resolve();
          }
        };
        listeners.add(look);
        look();
        void exited.then((code) => reject(new Error(`ended with ${code} before it said ${String(text)}:\n${stderr}`)));
      }),
  };
}

/** The last Snapshot that `--json` printed. */
export function finalSnapshot(stdout: string): Snapshot {
  const last: Snapshot = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  return last;
}

/** Runs it until it ends. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(args, env);
  const code = await program.exited;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "firehose-backfill-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
