/** What went wrong, for the person at the console: an answer instead of a failed invocation with a stack trace. */
import { ConfigError, describeError, UsageError } from "@firehose-backfill/core/errors";

export interface Refusal {
  readonly ok: false;
  /** Everything that is wrong, in one text. */
  readonly message: string;
  /** The same one by one, where there are several. */
  readonly problems: readonly string[];
}

/** null: an error that was not expected. That is a bug, and the invocation has to fail so that alarms see it. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof ConfigError) return refuse(error.problems);
  if (error instanceof UsageError) return refuse([error.message]);
  // Every error of ours says whether it may pass: the table is away, the database does not let us in.
  return error instanceof Error && "isRetryable" in error ? refuse([describeError(error)]) : null;
}

function refuse(problems: readonly string[]): Refusal {
  return { ok: false, message: problems.join("\n"), problems };
}
