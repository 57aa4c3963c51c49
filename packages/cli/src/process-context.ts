/** The real world as a command sees it: the one place of this package that touches `process`. */
import { readFileSync } from "node:fs";
import { systemClock } from "@firehose-backfill/core/clock";
import { decodeFileText } from "@firehose-backfill/core/config/file-text";
import type { CliContext, Output } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { loopbackFetch } from "./loopback-fetch.ts";

const NARROWEST = 20;
const DEFAULT_COLUMNS = 80;
/** As if SIGPIPE had ended the process, which Node does not let happen. */
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
    loadPlanner: () => import("@firehose-backfill/server/plan-here"),
  };
}

/**
 * What cannot be printed must not end a run. A log line that finds the disk full is lost; data that does makes the exit
 * code 1 and is told on stderr, once.
 */
function outputOf(stream: NodeJS.WriteStream, process: NodeJS.Process): Output {
  let isTold = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `status --json | head -1`: nobody reads on.
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
    // A terminal that does not know its own width says 0.
    columns: () => (stream.isTTY && stream.columns > 0 ? Math.max(NARROWEST, stream.columns) : DEFAULT_COLUMNS),
  };
}
