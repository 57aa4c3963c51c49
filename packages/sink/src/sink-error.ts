/** The error that a sink throws. Its kind says what the consumer has to do; an adapter decides the kind, from its own codes. */

/**
 * `service`: the sink is away or busy: wait, no attempt counted. Also whatever fails before a row was sent.
 * `broken`: it is not as it has to be, and no waiting helps: the run stops, and says so.
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
