/** Everything a command touches of the world around it, handed in, so that tests can stand in for each. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { auditHere } from "@firehose-backfill/server/audit-here";
import type { DoctorOptions, examine } from "@firehose-backfill/server/doctor/examine";
import type { openEvents } from "@firehose-backfill/server/event-feed";
import type { startHttpServer } from "@firehose-backfill/server/http-server";
import type { planHere } from "@firehose-backfill/server/plan-here";
import type { runServer } from "@firehose-backfill/server/run-server";
import type { steerHere } from "@firehose-backfill/server/steer-here";
import type { StopSignal } from "./exit-code.ts";
import type { InvokeFunction } from "./invoke-function.ts";

/** A stream that is written to: data on stdout, progress on stderr. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal now; 80 where there is none. */
  columns(): number;
}

export interface CliContext {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  /** Text of a file named by the operator. @throws FileTextError, and what the file system says */
  readonly readFile: (path: string) => string;
  readonly fetch: typeof fetch;
  /** Calls back at each signal; returns how to stop that. */
  readonly onSignal: (signal: StopSignal, handler: () => void) => () => void;
  /** Ends the process where it stands. */
  readonly exitNow: (code: number) => void;
  /** Loaded when a command needs it: most of them should answer at once. */
  readonly loadServer: () => Promise<{ readonly runServer: typeof runServer }>;
  readonly loadSteering: () => Promise<{ readonly steerHere: typeof steerHere }>;
  readonly loadDoctor: () => Promise<{ readonly examine: typeof examine }>;
  /** This process, as the doctor looks at it. */
  readonly machine: () => DoctorOptions["process"];
  readonly loadEvents: () => Promise<{ readonly openEvents: typeof openEvents }>;
  readonly loadInvoker: () => Promise<{ readonly openInvoker: () => InvokeFunction }>;
  readonly loadPage: () => Promise<{ readonly startHttpServer: typeof startHttpServer }>;
  readonly loadAuditor: () => Promise<{ readonly auditHere: typeof auditHere }>;
  readonly loadPlanner: () => Promise<{ readonly planHere: typeof planHere }>;
}
