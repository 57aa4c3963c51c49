/**
 * Finds the document of a DID: did:plc in the PLC directory, did:web on the host itself, with a bounded cache. The function that
 * fetches is injected, because requests to hosts that we do not control need a careful client.
 */
import type { Clock } from "./clock.ts";
import { type DidDocument, readDidDocument, TOMBSTONE } from "./did-document.ts";
import type { ClassifiedError } from "./errors.ts";
import type { PublicKey } from "./signature.ts";

/** The directory cannot be asked, so nothing is known about any account. Waiting helps. */
export class KeyServiceError extends Error implements ClassifiedError {
  override readonly name = "KeyServiceError";

  isRetryable(): boolean {
    return true;
  }
}

/** The host of one did:web account cannot be asked, so nothing is known of that account. Waiting may help. */
export class DidHostError extends Error implements ClassifiedError {
  override readonly name = "DidHostError";

  isRetryable(): boolean {
    return true;
  }
}

export type DocumentAnswer =
  | { readonly kind: "document"; readonly body: string }
  /** The host says that there is none, or its answer is not a document. */
  | { readonly kind: "absent" }
  /** HTTP 410: there was one. The PLC directory says so of an account whose last operation is a tombstone. */
  | { readonly kind: "gone" }
  /** The answer is unknown; a later request may find a document. */
  | { readonly kind: "trouble"; readonly error: string };

/** Never rejects. */
export type FetchDocument = (url: string) => Promise<DocumentAnswer>;

/**
 * null: the account no longer exists, or has no document.
 * Rejects with KeyServiceError or DidHostError if the service that knows cannot be asked.
 */
export type ResolveDid = (did: string, options?: { readonly forceRefresh?: boolean }) => Promise<DidDocument | null>;

/**
 * The signing key of an account; null: it has no usable key. `forceRefresh`: the cached key did not verify the signature.
 * Rejects with a retryable error if the service that knows cannot be asked.
 */
export type ResolveKey = (did: string, options?: { readonly forceRefresh?: boolean }) => Promise<PublicKey | null>;

export interface DidResolverOptions {
  readonly clock: Clock;
  readonly fetchDocument: FetchDocument;
  readonly plcUrl?: string;
  /** How long a document, or the absence of a document or key, is cached. */
  readonly ttlMs?: number;
  readonly absentTtlMs?: number;
  /** While the entry is younger, a forced refresh is answered from the cache, so that bad signatures do not cause requests. */
  readonly minRefreshMs?: number;
  readonly maxEntries?: number;
}

interface Entry {
  readonly atMs: number;
  /** A failed host is cached, too: otherwise each event of its account would ask it again. */
  readonly found: DidDocument | DidHostError | null;
}

export const PLC_URL = "https://plc.directory";
const DEFAULTS = {
  plcUrl: PLC_URL,
  ttlMs: 3_600_000,
  absentTtlMs: 60_000,
  minRefreshMs: 60_000,
  maxEntries: 50_000,
};
const PLC = /^did:plc:[a-z2-7]{24}$/;
/** A public host name: no port, no path, no IP address, no name of a local network. */
const WEB = /^did:web:((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/;
const LOCAL_DOMAINS = /\.(?:local|localhost|internal|intranet|lan|home|corp|arpa|test|invalid|example|onion)$/;

/** The function returned rejects with KeyServiceError while the PLC directory cannot be asked. */
export function createDidResolver(options: DidResolverOptions): ResolveDid {
  const settings = { ...DEFAULTS, ...options };
  const { clock, ttlMs, absentTtlMs, minRefreshMs, maxEntries } = settings;
  /** In order of use, the least recent first. */
  const cache = new Map<string, Entry>();
  const running = new Map<string, Promise<Entry["found"]>>();

  const remember = (did: string, entry: Entry): void => {
    cache.delete(did);
    cache.set(did, entry);
    if (cache.size <= maxEntries) return;
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  };
  const lookUp = async (did: string): Promise<Entry["found"]> => {
    try {
      const found = await fetchDid(did, settings);
      remember(did, { atMs: clock.now(), found });
      return found;
    } finally {
      running.delete(did);
    }
  };
  const find = async (did: string, forceRefresh: boolean): Promise<Entry["found"]> => {
    const entry = cache.get(did);
    const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : clock.now() - entry.atMs;
    const ttl = hasKey(entry?.found ?? null) ? ttlMs : absentTtlMs;
    if (entry !== undefined && ageMs < ttl && (!forceRefresh || ageMs < minRefreshMs)) {
      remember(did, entry);
      return entry.found;
    }
    const asked = running.get(did) ?? lookUp(did);
    running.set(did, asked);
    return await asked;
  };

  return async (did, { forceRefresh = false } = {}) => {
    const found = await find(did, forceRefresh);
    if (found instanceof DidHostError) throw found;
    return found;
  };
}

function hasKey(found: Entry["found"]): boolean {
  return found !== null && !(found instanceof DidHostError) && found.key !== null;
}

/**
 * Resolves signing keys only. null: no usable key (the account is unknown or deleted, has no document or another method), or the account's
 * own host cannot be asked, which must not stop other accounts.
 */
export function keysOf(resolveDid: ResolveDid): ResolveKey {
  return async (did, options) => {
    try {
      return (await resolveDid(did, options))?.key ?? null;
    } catch (error) {
      if (error instanceof DidHostError) return null;
      throw error;
    }
  };
}

interface FetchSettings {
  readonly plcUrl: string;
  readonly fetchDocument: FetchDocument;
}

async function fetchDid(did: string, { plcUrl, fetchDocument }: FetchSettings): Promise<Entry["found"]> {
  if (PLC.test(did)) {
    const answer = await fetchDocument(`${plcUrl}/${did}`);
    if (answer.kind === "trouble") throw new KeyServiceError(`${plcUrl}: ${answer.error}`);
    if (answer.kind === "gone") return TOMBSTONE;
    return answer.kind === "document" ? readDidDocument(did, answer.body) : null;
  }
  const host = WEB.exec(did)?.[1];
  if (host === undefined || LOCAL_DOMAINS.test(`.${host}`)) return null;
  const answer = await fetchDocument(`https://${host}/.well-known/did.json`);
  if (answer.kind === "trouble") return new DidHostError(`${host}: ${answer.error}`);
  return answer.kind === "document" ? readDidDocument(did, answer.body) : null;
}
