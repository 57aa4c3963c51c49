/** The handle of an account: what its DID document names, and whether the domain of that handle names the account. */
import { DidHostError, type ResolveDid } from "@firehose-backfill/core/did-resolver";
import type { HandleCheck } from "@firehose-backfill/core/event";
import { type EndpointRules, parseEndpoint } from "../http/endpoint.ts";
import { askDomain, type AskDomainOptions } from "./ask-domain.ts";

export interface FoundHandle {
  /** null: the document names none that can be one, or no document was had. */
  readonly handle: string | null;
  readonly check: HandleCheck;
}

export interface LookUpOptions extends AskDomainOptions {
  readonly resolveDid: ResolveDid;
  readonly rules: EndpointRules;
}

/** @throws KeyServiceError while the directory cannot be asked */
export async function lookUpHandle(did: string, options: LookUpOptions, signal: AbortSignal): Promise<FoundHandle> {
  const document = await documentOf(did, options.resolveDid);
  if (document === "unreachable") return { handle: null, check: "unreachable" };
  if (document === null) return { handle: null, check: "gone" };
  const { handle } = document;
  if (handle === null) return { handle, check: "none" };
  if (typeof parseEndpoint(`https://${handle}`, options.rules) === "string")
    // A name that no public network has: on a private one it is a handle that we cannot ask.
    return options.rules.allowLoopback ? { handle, check: "unreachable" } : { handle: null, check: "none" };
  return { handle, check: await askDomain({ handle, did }, options, signal) };
}

/** What a stream said since may be newer than what is in the cache. */
async function documentOf(did: string, resolveDid: ResolveDid) {
  try {
    return await resolveDid(did, { forceRefresh: true });
  } catch (error) {
    if (error instanceof DidHostError) return "unreachable";
    throw error;
  }
}
