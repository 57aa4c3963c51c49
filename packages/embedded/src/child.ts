/**
 * Runs one stand-in as a child process: forks it, waits until it reports that it is ready, stops it. This is the parent's
 * half; child-side.ts is the child's. The end of the child's output is kept for error messages and is never written to the
 * parent's stdout, which carries data.
 */
import { fork, type ChildProcess } from "node:child_process";

export interface ForkOptions {
  /** A `.ts` or `.js` module, run by the parent's own Node. */
  readonly entry: URL;
  readonly args: readonly string[];
  /** The most time from fork to `reportReady()`. */
  readonly readyTimeoutMs: number;
  /** Added to the parent's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for the child's Node. Default: none, because the parent's flags are not meant for a stand-in. */
  readonly execArgv?: readonly string[];
  /** Sent to the child at once over IPC: values that must not be visible in a list of processes, such as a password. */
  readonly init?: object;
  /** Called with every other message of the child. */
  readonly onMessage?: (message: unknown) => void;
  /** The time from closing the channel to SIGKILL on dispose. Default: 5,000. */
  readonly stopTimeoutMs?: number;
  /** If it aborts before the child is ready, the child is stopped, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Child extends AsyncDisposable {
  /** The value that the child passed to `reportReady()`. */
  readonly ready: unknown;
  readonly pid: number;
  /** Resolves when the process is gone, with its exit code, or null if a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>;
  /** The last 4 KiB of its output, stdout and stderr together. */
  readonly tail: () => string;
}

/** The child did not get ready: it ended, or took too long. `message` has the end of its output. */
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
 * @throws ChildError if it ends earlier or is not ready after `readyTimeoutMs`; then no process is left.
 */
export async function forkChild(options: ForkOptions): Promise<Child> {
  options.signal?.throwIfAborted();
  const child = fork(options.entry, [...options.args], {
    // Never the parent's own flags, such as --inspect or a test runner's loader.
    execArgv: [...(options.execArgv ?? [])],
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    // Emitted instead of "exit" if the process could not be started.
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
    // After an abort, the child gets time to stop what it has started; one that failed or hangs is ended at once.
    await stop(child, exited, options.signal?.aborted === true ? (options.stopTimeoutMs ?? STOP_TIMEOUT_MS) : 0);
    throw error;
  }
}

/** @throws ChildError, or the signal's reason */
async function whenReady(child: ChildProcess, options: ForkOptions, tail: () => string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (what: string, cause?: Error) => {
    // The operator needs to know what is wrong; a stack trace of our sources does not help.
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
  // "close" and not "exit", because by then all of its output has been read.
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

/** Closes the channel, which tells the child to stop, waits, then sends SIGKILL and waits. May be called again. */
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
