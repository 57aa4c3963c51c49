/** What a queue throws. Both kinds say themselves whether trying again can help. */
import { constants } from "node:os";

/** A call to the queue's server failed. `cause` is the SDK's error. */
export class QueueError extends Error {
  override readonly name = "QueueError";
  /** `ReceiveMessage`, `DeleteMessage`, ... */
  readonly operation: string;

  constructor(operation: string, cause: unknown) {
    super(`${operation}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.operation = operation;
  }

  isRetryable(): boolean {
    return isTransient(this.cause);
  }
}

/** Some messages were not confirmed, after all attempts. Which of them are in the queue is unknown: send all again. */
export class SendError extends Error {
  override readonly name = "SendError";
  /** Of the one call that was given up; other calls were not made. */
  readonly unconfirmed: number;
  readonly #isRetryable: boolean;

  constructor(options: { unconfirmed: number; because: string; isRetryable: boolean; cause?: unknown }) {
    super(`${options.unconfirmed} messages were not confirmed: ${options.because}`, { cause: options.cause });
    this.unconfirmed = options.unconfirmed;
    this.#isRetryable = options.isRetryable;
  }

  isRetryable(): boolean {
    return this.#isRetryable;
  }
}

const THROTTLED: ReadonlySet<string> = new Set([
  "RequestThrottled",
  "KmsThrottled",
  "OverLimit",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);

/** By the fields of the SDK's errors: the server's fault, a limit on the rate, or no answer at all. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (THROTTLED.has(error.name) || error.name === "TimeoutError") return true;
  if ("$fault" in error) return error.$fault === "server" || statusOf(error) === 429;
  // No answer: a socket error of Node's, which may pass. Where a name has several addresses it has no syscall.
  return "syscall" in error || ("code" in error && typeof error.code === "string" && error.code in constants.errno);
}

function statusOf(error: Error): number | null {
  if (!("$metadata" in error) || typeof error.$metadata !== "object" || error.$metadata === null) return null;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: unknown };
  return typeof httpStatusCode === "number" ? httpStatusCode : null;
}
