/** From a DID to the signed commit of its repository, or to the reason why there is none. */
import type { Clock } from "@firehose-backfill/core/clock";
import { isRetryable } from "@firehose-backfill/core/errors";
import type { ResolveDid } from "@firehose-backfill/core/did-resolver";
import type { EarlierKeys } from "@firehose-backfill/repos/did-client";
import { troubleText } from "@firehose-backfill/repos/http/http-errors";
import { type OpenRepo, openByProof } from "@firehose-backfill/repos/open-repo";
import type { RepoAddress, RepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import { RepoUnavailableError } from "@firehose-backfill/repos/xrpc/xrpc-error";

export interface AccountDeps {
  readonly resolveDid: ResolveDid;
  readonly earlierKeys: EarlierKeys;
  readonly repos: RepoClient;
  readonly clock: Clock;
}

export interface OpenAccount extends OpenRepo {
  readonly address: RepoAddress;
}

/** `mayHelp`: asking again later may help. */
export interface Refusal {
  readonly kind: "unreachable" | "inactive";
  readonly reason: string;
  readonly mayHelp: boolean;
}

/** One request to the directory and one to the account's host: the proof of a key brings the commit and the nodes that lead to the key. */
export async function openAccount(
  did: string,
  { resolveDid, earlierKeys, repos, clock }: AccountDeps,
  collections: readonly string[],
  signal: AbortSignal,
): Promise<OpenAccount | Refusal> {
  try {
    const document = await resolveDid(did);
    if (document === null) return inactive("there is no DID document: the account is gone");
    if (document.isTombstone) return inactive("its DID has ended: the account is gone");
    if (document.pds === null) return inactive("its DID document names no server");
    if (document.key === null) return unreachable("its DID document has no signing key that can be used", false);
    const repo = { origin: document.pds, did };
    const { key } = document;
    const how = { client: repos, repo, key, earlierKeys: () => earlierKeys(did), nowMs: clock.now(), signal };
    return { ...(await openByProof(how, { collections, after: null })), address: repo };
  } catch (error) {
    return refusalOf(error);
  }
}

/** @throws what is a defect of ours, and nobody's trouble */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RepoUnavailableError) return inactive(error.message);
  if (error instanceof Error && "isRetryable" in error) return unreachable(troubleText(error), isRetryable(error));
  throw error;
}

function inactive(reason: string): Refusal {
  return { kind: "inactive", reason, mayHelp: false };
}

function unreachable(reason: string, mayHelp: boolean): Refusal {
  return { kind: "unreachable", reason, mayHelp };
}
