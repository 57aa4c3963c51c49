/** What can go wrong between us and a host. Each error says whether waiting helps; the host's state says how long to wait. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";

/** We may not connect to the address: its name, or the IP address that the name points to, is not public. */
export class ForbiddenAddressError extends Error implements ClassifiedError {
  override readonly name = "ForbiddenAddressError";

  isRetryable(): boolean {
    return false;
  }
}

/** These words are stored, counted and shown: never rename one. */
export type HostTrouble =
  /** No connection was made, or it broke. */
  | "unreachable"
  /** The request's deadline passed. */
  | "timeout"
  /** The answer came more slowly than we accept. */
  | "too-slow"
  /** The host answered with a redirect, which we do not follow. */
  | "redirect"
  /** The host asked us to wait. */
  | "rate-limited"
  /** The host sent HTTP 5xx, or an answer of the wrong kind. */
  | "bad-answer";

export class HostError extends Error implements ClassifiedError {
  override readonly name = "HostError";
  readonly trouble: HostTrouble;

  constructor(trouble: HostTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }

  isRetryable(): boolean {
    return this.trouble !== "redirect";
  }
}
