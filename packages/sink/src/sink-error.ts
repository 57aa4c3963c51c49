/** The error that a sink throws. Its kind says what the consumer has to do; the adapter maps its own error codes to a kind. */

/**
 * `service`: the sink is unavailable or busy: wait, count no attempt. Also any failure before a row was sent.
 * `broken`: its schema or its permissions are wrong, and waiting does not help: the run fails.
 * `attempt`: any other failure; it counts as an attempt.
 * A bad event is never thrown: the sink keeps it as a dead event and applies the others.
 */
export type SinkErrorKind = "service" | "broken" | "attempt";

export class SinkError extends Error {
  override readonly name: string = "SinkError";
  readonly kind: SinkErrorKind;

  constructor(message: string, kind: SinkErrorKind, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  isRetryable(): boolean {
    return this.kind !== "broken";
  }
}
