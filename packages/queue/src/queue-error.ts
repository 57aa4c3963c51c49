/** The errors of a queue. Both say whether a retry can help. */
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

/** After all attempts, some messages were not confirmed. Which of them are in the queue is unknown: send all again. */
export class SendError extends Error {
  override readonly name = "SendError";
  /** Of the one call that was given up; later calls were not made. */
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

/** Decides by the fields of the SDK's errors: a fault of the server, a rate limit, or no answer. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (THROTTLED.has(error.name) || error.name === "TimeoutError") return true;
  if ("$fault" in error) return error.$fault === "server" || statusOf(error) === 429;
  // No answer: a socket error, which may pass. If a name has several addresses, Node's error has no syscall.
  return "syscall" in error || ("code" in error && typeof error.code === "string" && error.code in constants.errno);
}

function statusOf(error: Error): number | null {
  if (!("$metadata" in error) || typeof error.$metadata !== "object" || error.$metadata === null) return null;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: unknown };
  return typeof httpStatusCode === "number" ? httpStatusCode : null;
}
