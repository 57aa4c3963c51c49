/** What can go wrong between us and a host. Whether waiting helps is said by each; how long is the host's state's affair. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";

/** The address may not be connected to: what it names, or what its name points to, is not public. */
export class ForbiddenAddressError extends Error implements ClassifiedError {
  override readonly name = "ForbiddenAddressError";

  isRetryable(): boolean {
    return false;
  }
}

/** Words that are stored, counted and shown: never rename one. */
export type HostTrouble =
  /** No connection, or it broke. */
  | "unreachable"
  /** The deadline of a request passed. */
  | "timeout"
  /** The answer came more slowly than we wait for. */
  | "too-slow"
  /** It answered with a redirect, which is not followed. */
  | "redirect"
  /** It asked us to wait. */
  | "rate-limited"
  /** HTTP 5xx, or an answer that is not what was asked for. */
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
