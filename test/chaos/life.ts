/** One life of the program between two kills: its log, its processes, how it ended. */
import { existsSync } from "node:fs";
import { type Child, forkChild } from "@firehose-backfill/embedded/child";
import type { RunResult } from "@firehose-backfill/server/run-server";
import type { CrashReport, CrashTask } from "./crash-program.ts";

export interface Life extends AsyncDisposable {
  readonly pid: number;
  readonly log: () => string;
  /** null: killed, or it failed. */
  readonly ended: () => Pick<RunResult, "exit" | "message" | "snapshot"> | null;
  readonly failed: () => string | null;
  readonly isOver: () => boolean;
  /** null: by a signal. */
  readonly exited: Promise<number | null>;
  /** False: it ended first, or `withinMs` passed. */
  said(text: string | RegExp, withinMs: number): Promise<boolean>;
  kill(): void;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 10;

export async function beginLife(task: CrashTask): Promise<Life> {
  let log = "";
  let ended: ReturnType<Life["ended"]> = null;
  let failed: string | null = null;
  let isOver = false;
  const child: Child = await forkChild({
    entry: new URL("./crash-program.ts", import.meta.url),
    args: [],
    execArgv: ["--expose-gc"],
    env: { AWS_EC2_METADATA_DISABLED: "true" },
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    init: task,
    onMessage: (message) => {
      if (!isReport(message)) return;
      if ("log" in message) log += `${message.log}\n`;
      else if ("ended" in message) ({ ended } = message);
      else ({ failed } = message);
    },
  });
  void child.exited.then(() => (isOver = true));
  return {
    pid: child.pid,
    log: () => log + child.tail(),
    ended: () => ended,
    failed: () => failed,
    isOver: () => isOver,
    exited: child.exited,
    async said(text, withinMs) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        if (typeof text === "string" ? log.includes(text) : text.test(log)) return true;
        if (isOver || performance.now() > deadline) return false;
        await sleep(LOOK_EVERY_MS);
      }
    },
    kill: () => void process.kill(child.pid, "SIGKILL"),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** True once `path` is there; false after `withinMs`. */
export async function appears(path: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!existsSync(path)) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function isReport(message: unknown): message is CrashReport {
  return (
    typeof message === "object" && message !== null && ("log" in message || "ended" in message || "failed" in message)
  );
}
