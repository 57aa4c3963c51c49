/** The error that a sink throws. Its kind says what the consumer has to do; an adapter decides the kind, from its own codes. */

/**
 * `service`: the sink is away or busy: wait, no attempt counted. Also whatever fails before a row was sent.
 * `broken`: its schema, its permissions or the like are wrong, and waiting does not help: the run fails.
 * `attempt`: everything else; counts an attempt.
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
