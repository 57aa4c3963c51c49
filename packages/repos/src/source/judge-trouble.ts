/** What is to be done about a repository that could not be read: later, never, or a status. */
import type { Clock } from "@firehose-backfill/core/clock";
import { DidHostError, KeyServiceError } from "@firehose-backfill/core/did-resolver";
import type { PublicKey } from "@firehose-backfill/core/signature";
import { BadRepoError, MissingBlocksError, ResponseTooLargeError, TornArchiveError } from "../errors.ts";
import type { Endpoint } from "../http/endpoint.ts";
import { readyAtMs } from "../http/host-state.ts";
import { ForbiddenAddressError, HostError } from "../http/http-errors.ts";
import { HostWaitingError } from "../http/polite-client.ts";
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
  readonly deps: { readonly clock: Clock; readonly hosts: HostKeeper };
}

/** @throws what is a defect of ours */
export function judge(error: unknown, { found, attempts, deps }: Case): RepoStep {
  const nowMs = deps.clock.now();
  const why = error instanceof Error ? error.message : String(error);
  const again = (reason: string): RepoStep => {
    if (attempts + 1 >= MAX_ATTEMPTS) return dead(reason, `${why}; tried ${attempts + 1} times`);
    return { kind: "later", dueMs: nowMs + FIRST_RETRY_MS * 2 ** attempts, isFailure: true, why };
  };
  if (error instanceof KeyServiceError) return { kind: "directory", error: why };
  if (error instanceof DidHostError) return again("did-host");
  if (error instanceof HostWaitingError) return { kind: "later", dueMs: error.untilMs, isFailure: false, why };
  if (error instanceof RepoUnavailableError) return { kind: "inactive", state: error.state };
  if (error instanceof BadRepoError) return dead(error.reason, why);
  if (error instanceof ForbiddenAddressError) return dead("forbidden-address", why);
  if (error instanceof ResponseTooLargeError) return dead("block-too-large", why);
  if (error instanceof MissingBlocksError || error instanceof TornArchiveError) return again("missing-blocks");
  if (error instanceof XrpcError) return again("refused");
  if (error instanceof HostError) {
    if (!error.isRetryable()) return dead(`host-${error.trouble}`, why);
    const state = found === null ? undefined : deps.hosts.states.get(found.endpoint.host);
    const dueMs = state === undefined ? nowMs + FIRST_RETRY_MS : Math.max(nowMs + 1_000, readyAtMs(state));
    if (found !== null && (state?.unanswered ?? 0) >= HOST_IS_DEAD_AFTER) return hostIsDead(found);
    // It is the host that fails, and that is counted with the host.
    return { kind: "later", dueMs, isFailure: false, why };
  }
  throw error;
}

export function hostIsDead({ endpoint }: Found): RepoStep {
  return dead("host-dead", `${endpoint.host} did not answer ${HOST_IS_DEAD_AFTER} requests, one after the other`);
}

export function dead(reason: string, error: string): RepoStep {
  return { kind: "gave-up", reason, error };
}
