/** Everything outside that a command uses, passed in, so that tests can replace each part. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { auditHere } from "@firehose-backfill/server/audit-here";
import type { openDeadHere } from "@firehose-backfill/server/dead-here";
import type { DoctorOptions, examine } from "@firehose-backfill/server/doctor/examine";
import type { openEvents } from "@firehose-backfill/server/event-feed";
import type { startHttpServer } from "@firehose-backfill/server/http-server";
import type { keepAuditHere } from "@firehose-backfill/server/keep-audit-here";
import type { planHere } from "@firehose-backfill/server/plan-here";
import type { runServer } from "@firehose-backfill/server/run-server";
import type { steerHere } from "@firehose-backfill/server/steer-here";
import type { StopSignal } from "./exit-code.ts";
import type { InvokeFunction } from "./invoke-function.ts";
import type { Notify } from "./service-manager.ts";

/** An output stream: data goes to stdout, progress to stderr. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** The terminal's current columns; 80 if there is no terminal. */
  columns(): number;
}

export interface CliContext {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  /** Reads a file that the operator named. @throws FileTextError, and the file system's errors */
  readonly readFile: (path: string) => string;
  readonly fetch: typeof fetch;
  /** Calls the handler at each signal; returns a function that removes it. */
  readonly onSignal: (signal: StopSignal, handler: () => void) => () => void;
  /** Sends states to systemd, where the program is its service. */
  readonly notifyServiceManager: Notify;
  /** Sends a signal to another process. @throws what the system says */
  readonly kill: (pid: number, signal: StopSignal) => void;
  /** Ends the process immediately. */
  readonly exitNow: (code: number) => void;
  /** Loaded when a command needs it, because most commands should answer quickly. */
  readonly loadServer: () => Promise<{ readonly runServer: typeof runServer }>;
  readonly loadSteering: () => Promise<{ readonly steerHere: typeof steerHere }>;
  readonly loadDoctor: () => Promise<{ readonly examine: typeof examine }>;
  /** The properties of this process that the doctor checks. */
  readonly machine: () => DoctorOptions["process"];
  readonly loadEvents: () => Promise<{ readonly openEvents: typeof openEvents }>;
  readonly loadInvoker: () => Promise<{ readonly openInvoker: () => InvokeFunction }>;
  readonly loadPage: () => Promise<{ readonly startHttpServer: typeof startHttpServer }>;
  readonly loadAuditor: () => Promise<{ readonly auditHere: typeof auditHere }>;
  readonly loadAuditKeeper: () => Promise<{ readonly keepAuditHere: typeof keepAuditHere }>;
  readonly loadDeadEvents: () => Promise<{ readonly openDeadHere: typeof openDeadHere }>;
  readonly loadPlanner: () => Promise<{ readonly planHere: typeof planHere }>;
}
