/** How a command fails: one clear message for the operator and an exit code, never a stack trace. */
import { debuglog } from "node:util";
import { ConfigError, describeError, UsageError } from "@firehose-backfill/core/errors";
import { EXIT } from "./exit-code.ts";

/** The command was understood but cannot be done; `message` says why and what would help. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  isRetryable(): boolean {
    return false;
  }
}

export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** NODE_DEBUG=firehose-backfill shows the stack, too. */
const debug = debuglog("firehose-backfill");

export function failureOf(error: unknown): Failure {
  debug("%O", error);
  if (error instanceof ConfigError) {
    const [only, ...more] = error.problems;
    const lines =
      only !== undefined && more.length === 0
        ? [`firehose-backfill: ${only}`]
        : [
            `firehose-backfill: ${error.problems.length} problems with the configuration:`,
            ...error.problems.map((problem) => `  - ${problem}`),
          ];
    return { lines, exitCode: EXIT.usage };
  }
  if (error instanceof UsageError) return { lines: [`firehose-backfill: ${error.message}`], exitCode: EXIT.usage };
  return { lines: [`firehose-backfill: ${messageOf(error)}`], exitCode: EXIT.error };
}

/** A classified error has a complete message for the operator; for other errors, the name and the causes are added. */
function messageOf(error: unknown): string {
  if (error instanceof Error && "syscall" in error && error.syscall === "uv_cwd")
    return "the folder that this was started in is gone: go to one that is there (cd)";
  const knowsItself = error instanceof Error && "isRetryable" in error && error.message !== "";
  return knowsItself ? error.message : describeError(error);
}
