/** The real CliContext: the only file of this package that uses `process`. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { systemClock } from "@firehose-backfill/core/clock";
import { decodeFileText } from "@firehose-backfill/core/config/file-text";
import type { CliContext, Output } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { loopbackFetch } from "./loopback-fetch.ts";

const NARROWEST = 20;
const DEFAULT_COLUMNS = 80;
/** The exit code that SIGPIPE would cause; Node ignores that signal. */
const EXIT_SIGPIPE = 141;

export function processContext(process: NodeJS.Process): CliContext {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: outputOf(process.stdout, process),
    stderr: outputOf(process.stderr, process),
    clock: systemClock,
    readFile: (path) => decodeFileText(readFileSync(path)),
    fetch: loopbackFetch(fetch),
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return () => process.off(signal, handler);
    },
    // Node has no datagram sockets of Unix, so systemd's own program sends. If it is missing, systemd says so in time.
    notifyServiceManager: (states) => {
      spawn("systemd-notify", states, { stdio: "ignore" }).on("error", () => {});
    },
    kill: (pid, signal) => {
      process.kill(pid, signal);
    },
    exitNow: (code) => process.exit(code),
    loadServer: () => import("@firehose-backfill/server/run-server"),
    loadSteering: () => import("@firehose-backfill/server/steer-here"),
    loadDoctor: () => import("@firehose-backfill/server/doctor/examine"),
    machine: () => ({
      version: process.versions.node,
      canCollect: globalThis.gc !== undefined,
      rssBytes: process.memoryUsage.rss(),
      constrainedBytes: process.constrainedMemory(),
    }),
    loadEvents: () => import("@firehose-backfill/server/event-feed"),
    loadInvoker: () => import("./invoke-function.ts"),
    loadPage: () => import("@firehose-backfill/server/http-server"),
    loadAuditor: () => import("@firehose-backfill/server/audit-here"),
    loadAuditKeeper: () => import("@firehose-backfill/server/keep-audit-here"),
    loadDeadEvents: () => import("@firehose-backfill/server/dead-here"),
    loadPlanner: () => import("@firehose-backfill/server/plan-here"),
  };
}

/**
 * Output that cannot be written must not end a run. If the disk is full, a log line is lost; if data is lost, the exit
 * code becomes 1 and stderr says so once.
 */
function outputOf(stream: NodeJS.WriteStream, process: NodeJS.Process): Output {
  let isTold = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `status --json | head -1`: the reader has closed the pipe.
    if (error.code === "EPIPE") process.exit(EXIT_SIGPIPE);
    if (stream !== process.stdout || isTold) return;
    isTold = true;
    process.exitCode = EXIT.error;
    const why = error.code === "ENOSPC" ? "its disk is full" : (error.code ?? error.message);
    process.stderr.write(`firehose-backfill: the output could not be written to stdout: ${why}\n`);
  });
  return {
    write: (text) => {
      stream.write(text);
    },
    isTerminal: stream.isTTY,
    // A terminal of unknown width reports 0.
    columns: () => (stream.isTTY && stream.columns > 0 ? Math.max(NARROWEST, stream.columns) : DEFAULT_COLUMNS),
  };
}
