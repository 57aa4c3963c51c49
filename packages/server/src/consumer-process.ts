/**
 * `--consumers process`: each consumer is a child process, so that it has its own memory, and a crash affects only one
 * batch. There are as many as max-concurrent says; one that ends is replaced.
 */
import { describeError } from "@firehose-backfill/core/errors";
import type { Clock } from "@firehose-backfill/core/clock";
import { type Child, forkChild } from "@firehose-backfill/embedded/child";
import type { ConsumerChildInit, ConsumerChildReport } from "./serve-consumer.ts";

export interface ConsumerProcesses {
  /** The latest figures of the running ones. */
  readonly reports: () => readonly ConsumerChildReport["consumer"][];
  readonly pids: () => readonly number[];
  /** Resolves when all have finished their batch and ended. */
  readonly done: Promise<void>;
}

/** A consumer holds one batch, so V8 needs no 100 MB for young objects, and there may be many of these processes. */
const NODE_FLAGS = ["--expose-gc", "--max-semi-space-size=4"];
const READY_TIMEOUT_MS = 30_000;
/** A child that is asked to stop finishes its batch first. */
const STOP_TIMEOUT_MS = 20_000;
const AFTER_CRASH_MS = 1_000;
const REST_MS = 500;

export function startConsumerProcesses(options: {
  readonly init: ConsumerChildInit;
  /** A module that calls serveConsumer(). */
  readonly entry: URL;
  readonly wanted: () => number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}): ConsumerProcesses {
  const { clock, log, signal } = options;
  const children = new Map<Child, ConsumerChildReport["consumer"] | null>();

  const startOne = async () => {
    let started: Child | null = null;
    const child = await forkChild({
      entry: options.entry,
      args: [],
      execArgv: [...NODE_FLAGS],
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      init: options.init,
      onMessage: (message) => {
        if (isLog(message)) log(message.log);
        else if (started !== null && children.has(started) && isReport(message))
          children.set(started, message.consumer);
      },
    });
    started = child;
    children.set(child, null);
    void forgetWhenGone(child);
  };

  const forgetWhenGone = async (child: Child) => {
    const code = await child.exited;
    children.delete(child);
    if (!signal.aborted) log(`[BACKFILL] Consumer process ${child.pid} ended (${code ?? "by a signal"})`);
  };

  const keepUp = async () => {
    while (!signal.aborted) {
      try {
        while (children.size < options.wanted() && !signal.aborted) await startOne();
        for (const child of [...children.keys()].slice(options.wanted())) await child[Symbol.asyncDispose]();
      } catch (error) {
        log(`[BACKFILL] A consumer process could not start: ${describeError(error)}`);
        await clock.sleep(AFTER_CRASH_MS, signal);
      }
      await clock.sleep(REST_MS, signal);
    }
    await Promise.all([...children.keys()].map((child) => child[Symbol.asyncDispose]()));
  };

  return {
    reports: () => [...children.values()].filter((report) => report !== null),
    pids: () => [...children.keys()].map((child) => child.pid),
    done: keepUp(),
  };
}

function isReport(message: unknown): message is ConsumerChildReport {
  return typeof message === "object" && message !== null && "consumer" in message;
}

function isLog(message: unknown): message is { log: string } {
  return typeof message === "object" && message !== null && "log" in message && typeof message.log === "string";
}
