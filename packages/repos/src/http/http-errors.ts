/** What can go wrong between us and a host. Each error says whether waiting helps; the host's state says how long to wait. */
import { type ClassifiedError, describeError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";

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

/** The host must not be asked before `untilMs`; `cause` is what its last request met, if we know it. Other hosts can be asked meanwhile. */
export class HostWaitingError extends Error implements ClassifiedError {
  override readonly name = "HostWaitingError";
  readonly untilMs: number;

  constructor(host: string, untilMs: number, options?: ErrorOptions) {
    super(`${host} is not to be asked before ${new Date(untilMs).toISOString()}`, options);
    this.untilMs = untilMs;
  }

  isRetryable(): boolean {
    return true;
  }
}

const MAX_TROUBLE = 300;

/**
 * For the operator, in few words and without names of classes: `pds.example:443 cannot be reached: connect ECONNREFUSED 10.0.0.1:443`.
 * `isHostKnown`: the caller names the host itself, so only what the system said is left; where there is little room, the end is cut.
 * What is no error of this kind is described as a whole.
 */
export function troubleText(error: unknown, { isHostKnown = false } = {}): string {
  if (!(error instanceof Error) || !("isRetryable" in error) || error.message === "") return describeError(error);
  if (error instanceof HostWaitingError && error.cause instanceof HostError)
    return `${troubleText(error.cause, { isHostKnown })}; not to be asked again before ${new Date(error.untilMs).toISOString()}`;
  const { cause, message } = error;
  const said = error instanceof HostError && cause instanceof Error && cause.message !== "" ? cause.message : null;
  const text = said === null ? message : isHostKnown ? said : `${message}: ${said}`;
  return escapeForLog(text, MAX_TROUBLE);
}
