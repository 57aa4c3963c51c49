/**
 * One stand-in as a child process: fork, wait until it says it is ready, stop it. It owns the parent's half;
 * child-side.ts owns the child's. What the child prints is kept as a tail for error messages and never reaches
 * the parent's stdout, which is data.
 */
import { fork, type ChildProcess } from "node:child_process";

export interface ForkOptions {
  /** A `.ts` or `.js` module, run by the parent's own Node. */
  readonly entry: URL;
  readonly args: readonly string[];
  /** From fork to `reportReady()`. */
  readonly readyTimeoutMs: number;
  /** Added to the parent's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for the child's Node. None unless told otherwise: the parent's are none of a stand-in's business. */
  readonly execArgv?: readonly string[];
  /** Sent to the child at once, over IPC: what may not stand in a list of processes, such as a password. */
  readonly init?: object;
  /** Whatever else the child sends, for as long as it lives. */
  readonly onMessage?: (message: unknown) => void;
  /** From closing the channel to SIGKILL on dispose. 5,000 unless told otherwise. */
  readonly stopTimeoutMs?: number;
  /** Aborted before the child is ready: it is stopped, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Child extends AsyncDisposable {
  /** What the child handed to `reportReady()`. */
  readonly ready: unknown;
  readonly pid: number;
  /** Resolves when the process is gone, with its exit code, or null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>;
  /** The last 4 KiB that it printed, on either stream. */
  readonly tail: () => string;
}

/** The child did not get ready: it ended, or took too long. `message` carries what it printed last. */
export class ChildError extends Error {
  override readonly name = "ChildError";
  isRetryable(): boolean {
    return false;
  }
}

const TAIL_CHARS = 4096;
const STOP_TIMEOUT_MS = 5000;

/**
 * Resolves once the child is ready.
 * @throws ChildError when it ends before, or after `readyTimeoutMs`; then no process is left.
 */
export async function forkChild(options: ForkOptions): Promise<Child> {
  options.signal?.throwIfAborted();
  const child = fork(options.entry, [...options.args], {
    // Never the parent's own flags: --inspect or a test runner's loader.
    execArgv: [...(options.execArgv ?? [])],
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    // Emitted in place of "exit" when the process could not be started at all.
    child.once("error", () => {
      if (child.pid === undefined) resolve(null);
    });
  });
  const tail = keepTail(child);
  if (options.onMessage !== undefined) child.on("message", options.onMessage);
  if (options.init !== undefined) child.send(options.init, () => {});
  try {
    const ready = await whenReady(child, options, tail);
    const { pid } = child;
    if (pid === undefined) throw new ChildError(`${options.entry.pathname} has no pid`);
    return {
      ready,
      pid,
      exited,
      tail,
      [Symbol.asyncDispose]: () => stop(child, exited, options.stopTimeoutMs ?? STOP_TIMEOUT_MS),
    };
  } catch (error) {
    // One that is told to stop stops what it has started; one that failed or hangs is ended.
    await stop(child, exited, options.signal?.aborted === true ? (options.stopTimeoutMs ?? STOP_TIMEOUT_MS) : 0);
    throw error;
  }
}

/** @throws ChildError, or the signal's reason */
async function whenReady(child: ChildProcess, options: ForkOptions, tail: () => string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (what: string, cause?: Error) => {
    // The operator is told what is wrong; where in our sources it was noticed is no help.
    const lines = tail().split("\n");
    const said = lines
      .filter((line) => !/^\s+at /.test(line))
      .join("\n")
      .trim();
    reject(new ChildError(`${nameOf(options.entry)} ${what}${said === "" ? "" : `; it said:\n${said}`}`, { cause }));
  };
  const onMessage = (message: unknown) => {
    if (typeof message === "object" && message !== null && "ready" in message) resolve(message.ready);
  };
  // "close" and not "exit": what it printed last has been read by then.
  const onClose = (code: number | null, signal: string | null) =>
    fail(`ended before it was ready (${signal ?? `exit code ${code}`})`);
  const onError = (error: Error) => fail("could not be started", error);
  const onAbort = () => reject(options.signal?.reason);
  const timer = setTimeout(() => fail(`was not ready within ${options.readyTimeoutMs} ms`), options.readyTimeoutMs);
  child.on("message", onMessage);
  child.once("close", onClose);
  child.once("error", onError);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.off("message", onMessage);
    child.off("close", onClose);
    child.off("error", onError);
    // A later failure (a kill that is refused) must not end the parent.
    child.on("error", () => {});
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** Closes the channel, which tells the child to stop; then waits, SIGKILL, waits. Safe to repeat. */
async function stop(child: ChildProcess, exited: Promise<number | null>, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (timeoutMs > 0 && child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  await exited;
  clearTimeout(timer);
}

function keepTail(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-TAIL_CHARS);
    });
  }
  return () => tail;
}

function nameOf(entry: URL): string {
  return entry.pathname.slice(entry.pathname.lastIndexOf("/") + 1);
}
