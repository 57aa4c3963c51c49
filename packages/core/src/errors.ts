/**
 * Errors say themselves whether trying again can help; nobody reads messages to find out.
 * Each package has its own; here are the two that every command may meet, and the helpers that read any of them.
 */
import { escapeForLog } from "./log-lines.ts";

/** An error that knows whether the same call may succeed later, with nothing changed but time. */
export interface ClassifiedError extends Error {
  isRetryable(): boolean;
}

/** The configuration cannot be used. Lists everything that is wrong with it, one problem a line; exit code 2. */
export class ConfigError extends Error implements ClassifiedError {
  override readonly name: string = "ConfigError";
  /** Each names the setting, what it held and what it takes. Escaped, and never a secret. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems.join() : `${problems.length} problems:\n${problems.join("\n")}`);
    this.problems = problems;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** A command or a control event that is not understood. Says what would be right; exit code 2. */
export class UsageError extends Error implements ClassifiedError {
  override readonly name: string = "UsageError";

  isRetryable(): boolean {
    return false;
  }
}

/** False for anything that does not say so itself: an error nobody foresaw is a bug, and bugs do not go away by waiting. */
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
  // Bounded by itself: causes can go in a circle.
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth++) {
    const part = describeOne(current);
    // Wrappers like to repeat the message of what they wrap.
    if (!parts.includes(part)) parts.push(part);
    current = current instanceof Error ? current.cause : undefined;
  }
  return escapeForLog(parts.length === 0 ? String(error) : parts.join(", because of "), MAX_DESCRIPTION);
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Node's connect errors are an AggregateError with an empty message: what matters is inside.
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
