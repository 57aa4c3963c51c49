/** Describes what went wrong to the person at the console: an answer instead of a failed invocation with a stack trace. */
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import { ConfigError, describeError, UsageError } from "@firehose-backfill/core/errors";

export interface Refusal {
  readonly ok: false;
  /** It is not said which run is meant. */
  readonly isMalformed?: true;
  /** All problems in one text. */
  readonly message: string;
  /** The same problems one by one, if there are several. */
  readonly problems: readonly string[];
}

/** null: an unexpected error. That is a bug, and the invocation has to fail so that alarms see it. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof ConfigError) return refuse(error.problems);
  if (error instanceof ChooseRunError) return { ...refuse([error.message]), isMalformed: true };
  if (error instanceof UsageError) return refuse([error.message]);
  // Our own errors say whether they may pass: for example the table is unavailable, or the database refuses the login.
  return error instanceof Error && "isRetryable" in error ? refuse([describeError(error)]) : null;
}

function refuse(problems: readonly string[]): Refusal {
  return { ok: false, message: problems.join("\n"), problems };
}
