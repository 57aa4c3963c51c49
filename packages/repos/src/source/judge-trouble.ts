/** What is to be done about a repository that could not be read: later, never, or a status. */
import type { Clock } from "@firehose-backfill/core/clock";
import { DidHostError, KeyServiceError } from "@firehose-backfill/core/did-resolver";
import type { PublicKey } from "@firehose-backfill/core/signature";
import { BadRepoError, MissingBlocksError, ResponseTooLargeError, TornArchiveError } from "../errors.ts";
import type { Endpoint } from "../http/endpoint.ts";
import { GIVEN_UP_AFTER_MS, type HostState, isGivenUp, NEW_HOST, readyAtMs, waitForMs } from "../http/host-state.ts";
import { ForbiddenAddressError, HostError, HostWaitingError } from "../http/http-errors.ts";
import { RepoUnavailableError, XrpcError } from "../xrpc/xrpc-error.ts";
import type { HostKeeper } from "./host-keeper.ts";
import type { RepoStep } from "./repo-step.ts";

/** After so many requests in a row without any answer, its repositories are given up without asking until it may be asked again. */
export const HOST_IS_DEAD_AFTER = 10;
/** Of one repository, without a range in between; what waits is not counted. */
export const MAX_ATTEMPTS = 8;
const FIRST_RETRY_MS = 60_000;

export interface Found {
  readonly endpoint: Endpoint;
  readonly key: PublicKey;
}

interface Case {
  readonly found: Found | null;
  readonly attempts: number;
  /** The host has answered in this walk. */
  readonly isAnswered: boolean;
  readonly deps: { readonly clock: Clock; readonly hosts: HostKeeper };
}

/** @throws what is a defect of ours */
export function judge(error: unknown, { found, attempts, isAnswered, deps }: Case): RepoStep {
  const nowMs = deps.clock.now();
  const why = error instanceof Error ? error.message : String(error);
  const again = (reason: string): RepoStep => {
    if (attempts + 1 >= MAX_ATTEMPTS) return dead(reason, `${why}; tried ${attempts + 1} times`);
    return { kind: "later", dueMs: nowMs + FIRST_RETRY_MS * 2 ** attempts, isFailure: true, why };
  };
  if (error instanceof KeyServiceError) return { kind: "directory", error: why };
  if (error instanceof DidHostError) return again("did-host");
  const state = (found === null ? undefined : deps.hosts.states.get(found.endpoint.host)) ?? NEW_HOST;
  /** The host answers, but not with what this repository needs. Without a limit of its own it would be tried for ever. */
  const failed = (reason: string): RepoStep => {
    if (attempts + 1 >= MAX_ATTEMPTS) return dead(reason, `${why}; tried ${attempts + 1} times`);
    const ownMs = attempts === 0 ? 0 : FIRST_RETRY_MS * 2 ** (attempts - 1);
    return { kind: "later", dueMs: Math.max(nowMs + ownMs, waitForMs(state, nowMs)), isFailure: true, why };
  };
  if (error instanceof HostWaitingError) {
    if (isAnswered) return failed("host-rate-limited");
    return { kind: "later", dueMs: Math.min(error.untilMs, waitForMs(state, nowMs)), isFailure: false, why };
  }
  if (error instanceof RepoUnavailableError) return { kind: "inactive", state: error.state };
  if (error instanceof BadRepoError) return dead(error.reason, why);
  if (error instanceof ForbiddenAddressError) return dead("forbidden-address", why);
  if (error instanceof ResponseTooLargeError) return dead("block-too-large", why);
  if (error instanceof MissingBlocksError || error instanceof TornArchiveError) return again("missing-blocks");
  if (error instanceof XrpcError) return again("refused");
  if (error instanceof HostError) {
    if (!error.isRetryable()) return dead(`host-${error.trouble}`, why);
    if (found === null) return { kind: "later", dueMs: nowMs + FIRST_RETRY_MS, isFailure: false, why };
    const gaveUp = giveUp(found, state, nowMs);
    if (gaveUp !== null) return gaveUp;
    // The last answer before this one was good.
    if (state.failures <= 1) return failed(`host-${error.trouble}`);
    // It is the host that fails, and that is counted with the host.
    return { kind: "later", dueMs: Math.max(nowMs + 1_000, waitForMs(state, nowMs)), isFailure: false, why };
  }
  throw error;
}

/** A host that does not answer, or refuses everything, costs each of its repositories no further request. null: it is still asked. */
export function giveUp({ endpoint: { host } }: Found, state: HostState, nowMs: number): RepoStep | null {
  if (state.unanswered >= HOST_IS_DEAD_AFTER)
    return dead("host-dead", `${host} did not answer ${HOST_IS_DEAD_AFTER} requests, one after the other`);
  if (!isGivenUp(state, nowMs)) return null;
  const until = new Date(readyAtMs(state)).toISOString();
  const hours = GIVEN_UP_AFTER_MS / 3_600_000;
  return dead(
    "host-rate-limited",
    `${host} has refused every request for ${hours} hours, and is not to be asked before ${until}`,
  );
}

export function dead(reason: string, error: string): RepoStep {
  return { kind: "gave-up", reason, error };
}
