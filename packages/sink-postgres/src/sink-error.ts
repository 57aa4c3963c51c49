/**
 * The error of the port with its SQLSTATE, which stays inside this package, and how the driver's errors become one. An error with a SQLSTATE comes from the
 * server; whatever else the driver rejects with means that the connection is gone.
 */
import { classifySqlState, type Verdict } from "./sqlstate.ts";
import { SinkError, type SinkErrorKind } from "@firehose-backfill/sink/sink-error";

export class PostgresError extends SinkError {
  /** null: the connection failed, or the error is not the server's. */
  readonly sqlState: string | null;

  constructor(message: string, fields: { kind: SinkErrorKind; sqlState?: string | null }, options?: ErrorOptions) {
    super(message, fields.kind, options);
    this.sqlState = fields.sqlState ?? null;
  }
}

interface Raised {
  readonly endsSession: boolean;
  readonly context: string | null;
  /** Left out: what its code says. */
  readonly verdict: Verdict;
}

/** A statement that the server refused; used inside this package until the reaction to it is decided. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  readonly sqlState: string;
  readonly verdict: Verdict;
  /** FATAL: the server has ended the session. */
  readonly endsSession: boolean;
  /** The server's context: `PL/pgSQL function f() line 3 at RAISE`, `while updating tuple (0,1) in relation "records"`. */
  readonly context: string | null;

  constructor(message: string, sqlState: string, options?: ErrorOptions & Partial<Raised>) {
    super(message, options);
    this.sqlState = sqlState;
    this.endsSession = options?.endsSession ?? false;
    this.context = options?.context ?? null;
    const raisedAt = { endsSession: this.endsSession, inFunction: isInFunction(this.context) };
    this.verdict = options?.verdict ?? classifySqlState(sqlState, raisedAt);
  }

  isRetryable(): boolean {
    return this.verdict !== "broken";
  }
}

/** The driver's error: an error of the server, or a lost connection. */
export function fromDriver(error: unknown): StatementError | PostgresError {
  if (isServerError(error)) {
    const endsSession = error.severity === "FATAL" || error.severity === "PANIC";
    const context = typeof error.where === "string" ? error.where : null;
    return new StatementError(error.message, error.code, { cause: error, endsSession, context });
  }
  return new PostgresError(describe(error), { kind: "service" }, { cause: error });
}

/**
 * The innermost context comes first. A context of a function cannot be recognised in every language, but the only other context of
 * our statements is the one with their parameters (log_parameter_max_length_on_error).
 */
function isInFunction(context: string | null): boolean {
  const [innermost = ""] = (context ?? "").split("\n");
  return innermost !== "" && !innermost.includes("$1 = ");
}

/** The error that leaves this package if no retry inside it helped. */
export function toSinkError(error: unknown): PostgresError {
  if (error instanceof PostgresError) return error;
  if (error instanceof StatementError) {
    return new PostgresError(
      `${error.message} (${error.sqlState})`,
      { kind: kindOf(error.verdict), sqlState: error.sqlState },
      { cause: error },
    );
  }
  return new PostgresError(describe(error), { kind: "attempt" }, { cause: error });
}

/**
 * An error before the transaction was open: no row had been sent, so no row caused it, whatever its code is.
 * A `broken` error stays `broken`.
 */
export function beforeTransaction(error: unknown): PostgresError {
  const sink = toSinkError(error);
  if (sink.kind !== "attempt" || sink.sqlState === null) return sink;
  return new PostgresError(sink.message, { kind: "service", sqlState: sink.sqlState }, { cause: error });
}

/** Data errors get here only after bisecting has finished; for a lock that was not available, the batch waits. */
function kindOf(verdict: Verdict): SinkErrorKind {
  if (verdict === "data") return "attempt";
  return verdict === "again" ? "service" : verdict;
}

/** Node's own codes can look like a SQLSTATE (EPIPE), but only the server sends a severity. */
function isServerError(error: unknown): error is Error & { code: string; severity: string; where?: unknown } {
  return (
    error instanceof Error &&
    "severity" in error &&
    typeof error.severity === "string" &&
    "code" in error &&
    typeof error.code === "string"
  );
}

/** Also for values that are no Error: a WebSocket fails with an event. An AggregateError's own message is empty. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(describe).join("; ");
  if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string") {
    if (error.message !== "") return error.message;
  }
  return "the connection to the database failed";
}
