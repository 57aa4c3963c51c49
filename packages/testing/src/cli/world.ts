/** A world for a command under test: text instead of streams, signals on demand, a server that is a function. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@firehose-backfill/core/clock";
import type { RunResult, RunServerOptions } from "@firehose-backfill/server/run-server";
import type { CliContext, Output } from "../../../cli/src/context.ts";
import type { StopSignal } from "../../../cli/src/exit-code.ts";

export interface TestWorld extends AsyncDisposable {
  readonly dataDir: string;
  readonly context: (argv: readonly string[], different?: Partial<CliContext>) => CliContext;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly signal: (signal: StopSignal) => void;
  /** How often each signal is listened for. */
  readonly listeners: () => number;
  readonly exits: readonly number[];
  /** `SIGTERM 123` */
  readonly kills: readonly string[];
}

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly runServer?: (options: RunServerOptions) => Promise<RunResult>;
  readonly files?: Readonly<Record<string, string>>;
}

export async function testWorld(options: WorldOptions = {}): Promise<TestWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), "firehose-backfill-cli-"));
  const stdout = output(options.isTerminal ?? false);
  const stderr = output(options.isTerminal ?? false);
  const handlers = new Set<{ readonly signal: StopSignal; readonly handle: () => void }>();
  const exits: number[] = [];
  const kills: string[] = [];
  const runServer = options.runServer ?? (() => Promise.reject(new Error("this test runs no server")));
  return {
    dataDir,
    context: (argv, different = {}) => ({
      argv,
      env: { BACKFILL_DATA_DIR: dataDir, ...options.env },
      stdout,
      stderr,
      clock: systemClock,
      readFile: (path) => fileOf(options.files ?? {}, path),
      fetch,
      onSignal: (signal, handle) => {
        const entry = { signal, handle };
        handlers.add(entry);
        return () => handlers.delete(entry);
      },
      notifyServiceManager: () => {},
      kill: (pid, signal) => kills.push(`${signal} ${pid}`),
      exitNow: (code) => exits.push(code),
      loadServer: () => Promise.resolve({ runServer }),
      loadSteering: () => Promise.reject(new Error("this test steers nothing here")),
      loadDoctor: () => Promise.reject(new Error("this test examines nothing")),
      machine: () => ({ version: "24.0.0", canCollect: true, rssBytes: 0, constrainedBytes: 0 }),
      loadEvents: () => Promise.reject(new Error("this test reads no events")),
      loadInvoker: () => Promise.reject(new Error("this test calls no function")),
      loadPage: () => import("@firehose-backfill/server/http-server"),
      loadDeadEvents: () => Promise.reject(new Error("this test has no dead events")),
      loadAuditor: () => Promise.reject(new Error("this test audits nothing")),
      loadAuditKeeper: () => Promise.reject(new Error("this test keeps no audit")),
      loadPlanner: () => Promise.reject(new Error("this test plans nothing")),
      ...different,
    }),
    stdout: stdout.text,
    stderr: stderr.text,
    signal: (signal) => {
      for (const entry of handlers) if (entry.signal === signal) entry.handle();
    },
    listeners: () => handlers.size,
    exits,
    kills,
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }),
  };
}

function output(isTerminal: boolean): Output & { readonly text: () => string } {
  let written = "";
  return {
    write: (text) => {
      written += text;
    },
    isTerminal,
    columns: () => 80,
    text: () => written,
  };
}

function fileOf(files: Readonly<Record<string, string>>, path: string): string {
  const text = files[path];
  if (text !== undefined) return text;
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
}
