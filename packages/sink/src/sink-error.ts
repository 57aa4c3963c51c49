/**
 * The error that leaves this package, and how the driver's errors become one. An error with a SQLSTATE comes from the
 * server; whatever else the driver rejects with means that the connection is gone.
 */
import { classifySqlState, type Verdict } from "./sqlstate.ts";
import type { SinkErrorKind } from "./types.ts";

export class SinkError extends Error {
  override readonly name = "SinkError";
  readonly kind: SinkErrorKind;
  /** null: the connection failed, or the fault is not the server's. */
  readonly sqlState: string | null;

  constructor(message: string, fields: { kind: SinkErrorKind; sqlState?: string | null }, options?: ErrorOptions) {
    super(message, options);
    this.kind = fields.kind;
    this.sqlState = fields.sqlState ?? null;
  }

  isRetryable(): boolean {
    return this.kind !== "broken";
  }
}

/** A statement that the server refused; inside this package until it is known what to do about it. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  readonly sqlState: string;
  readonly verdict: Verdict;

  constructor(message: string, sqlState: string, options?: ErrorOptions) {
    super(message, options);
    this.sqlState = sqlState;
    this.verdict = classifySqlState(sqlState);
  }

  isRetryable(): boolean {
    return this.verdict !== "broken";
  }
}

/** What the driver rejected with, told apart: the server's word, or a connection that is gone. */
export function fromDriver(error: unknown): StatementError | SinkError {
  if (isServerError(error)) return new StatementError(error.message, error.code, { cause: error });
  return new SinkError(describe(error), { kind: "service" }, { cause: error });
}

/** The last word on an error that nothing inside could deal with. */
export function toSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  if (error instanceof StatementError) {
    // Data and lock errors get here only when bisecting or retrying has run its course.
    const kind = error.verdict === "data" || error.verdict === "again" ? "attempt" : error.verdict;
    return new SinkError(`${error.message} (${error.sqlState})`, { kind, sqlState: error.sqlState }, { cause: error });
  }
  return new SinkError(describe(error), { kind: "attempt" }, { cause: error });
}

/** Node's own codes can look like a SQLSTATE (EPIPE); a severity only the server sends. */
function isServerError(error: unknown): error is Error & { code: string } {
  return (
    error instanceof Error &&
    "severity" in error &&
    typeof error.severity === "string" &&
    "code" in error &&
    typeof error.code === "string"
  );
}

/** Also of what is not an Error: a WebSocket fails with an event. An AggregateError's own message is empty. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(describe).join("; ");
  if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string") {
    if (error.message !== "") return error.message;
  }
  return "the connection to the database failed";
}
