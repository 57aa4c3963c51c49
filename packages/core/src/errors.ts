/**
 * Errors say whether a retry can help, so nobody has to parse messages. Each package has its own errors; this file has the two
 * that every command may meet, and the functions that read any error.
 */
import { escapeForLog } from "./log-lines.ts";

/** An error that knows whether the same call may succeed later, if only time passes. */
export interface ClassifiedError extends Error {
  isRetryable(): boolean;
}

/** The configuration cannot be used. Lists everything that is wrong with it, one problem a line; exit code 2. */
export class ConfigError extends Error implements ClassifiedError {
  override readonly name: string = "ConfigError";
  /** Each names the setting, its value and what it takes. Escaped, and never a secret. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems.join() : `${problems.length} problems:\n${problems.join("\n")}`);
    this.problems = problems;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** A command or a control event that is not understood. The message says what would be right; exit code 2. */
export class UsageError extends Error implements ClassifiedError {
  override readonly name: string = "UsageError";

  isRetryable(): boolean {
    return false;
  }
}

/** False for an error that does not say so itself: an unexpected error is a bug, and waiting does not fix bugs. */
export function isRetryable(error: unknown): boolean {
  return isClassified(error) && error.isRetryable();
}

function isClassified(error: unknown): error is ClassifiedError {
  return error instanceof Error && "isRetryable" in error && typeof error.isRetryable === "function";
}

const MAX_CAUSES = 8;
const MAX_DESCRIPTION = 2_000;

/** One line for the log or the operator: the error and its causes, escaped. Never throws, whatever was thrown. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // The depth is limited, because causes can form a circle.
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth++) {
    const part = describeOne(current);
    // Many wrappers repeat the message of the wrapped error.
    if (!parts.includes(part)) parts.push(part);
    current = current instanceof Error ? current.cause : undefined;
  }
  return escapeForLog(parts.length === 0 ? String(error) : parts.join(", because of "), MAX_DESCRIPTION);
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Node's connect errors are an AggregateError with an empty message: the useful errors are inside it.
  const inner =
    error.message === "" && error instanceof AggregateError ? error.errors.slice(0, 3).map(describeOne).join("; ") : "";
  const message = error.message === "" ? inner : error.message;
  const label = code === "" || message.includes(code) ? error.name : `${error.name} ${code}`;
  return message === "" ? label : `${label}: ${message}`;
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return `thrown ${JSON.stringify(thrown) ?? String(thrown)}`;
  } catch {
    return `thrown ${typeof thrown}`;
  }
}
