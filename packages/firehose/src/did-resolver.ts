/**
 * The signing key of an account, from its DID document: did:plc from the PLC directory, did:web from the host itself.
 * A bounded cache stands in front; bodies, waits and redirects are limited, because hosts are strangers.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { ClassifiedError } from "@firehose-backfill/core/errors";
import { keyOfDocument } from "./did-document.ts";
import type { PublicKey } from "@firehose-backfill/core/signature";
import type { ResolveKey } from "./types.ts";

/** The directory itself is in trouble: nothing is known about any account. Waiting helps. */
export class KeyServiceError extends Error implements ClassifiedError {
  override readonly name = "KeyServiceError";

  isRetryable(): boolean {
    return true;
  }
}

export interface KeyResolverOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly plcUrl?: string;
  /** How long a key, and how long the absence of one, is believed. */
  readonly ttlMs?: number;
  readonly absentTtlMs?: number;
  /** A forced refresh is answered from the cache while the entry is younger: bad signatures must not become requests. */
  readonly minRefreshMs?: number;
  readonly maxEntries?: number;
  readonly timeoutMs?: number;
  readonly maxBodyBytes?: number;
}

interface Entry {
  readonly atMs: number;
  readonly key: PublicKey | null;
}

const DEFAULTS = {
  plcUrl: "https://plc.directory",
  ttlMs: 3_600_000,
  absentTtlMs: 60_000,
  minRefreshMs: 60_000,
  maxEntries: 50_000,
  timeoutMs: 5_000,
  maxBodyBytes: 65_536,
};
const PLC = /^did:plc:[a-z2-7]{24}$/;
/** A public host name: no port, no path, no address, nothing of a local network. */
const WEB = /^did:web:((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/;
const LOCAL_DOMAINS = /\.(?:local|localhost|internal|intranet|lan|home|corp|arpa|test|invalid|example|onion)$/;

/**
 * null: the account has no usable key (unknown, deleted, no document, another method).
 * The function returned rejects with KeyServiceError while the PLC directory cannot be asked.
 */
export function createKeyResolver(options: KeyResolverOptions): ResolveKey {
  const settings = { ...DEFAULTS, fetch: globalThis.fetch, ...options };
  const { clock, ttlMs, absentTtlMs, minRefreshMs, maxEntries } = settings;
  /** In order of use, the least recent first. */
  const cache = new Map<string, Entry>();
  const running = new Map<string, Promise<PublicKey | null>>();

  const remember = (did: string, entry: Entry): void => {
    cache.delete(did);
    cache.set(did, entry);
    if (cache.size <= maxEntries) return;
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  };
  const lookUp = async (did: string): Promise<PublicKey | null> => {
    try {
      const key = await fetchKey(did, settings);
      remember(did, { atMs: clock.now(), key });
      return key;
    } finally {
      running.delete(did);
    }
  };

  return async (did, { forceRefresh = false } = {}) => {
    const entry = cache.get(did);
    const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : clock.now() - entry.atMs;
    const isFresh = ageMs < (entry?.key === null ? absentTtlMs : ttlMs) && (!forceRefresh || ageMs < minRefreshMs);
    if (entry !== undefined && isFresh) {
      remember(did, entry);
      return entry.key;
    }
    const asked = running.get(did) ?? lookUp(did);
    running.set(did, asked);
    return await asked;
  };
}

type FetchSettings = typeof DEFAULTS & Pick<KeyResolverOptions, "clock" | "userAgent"> & { fetch: typeof fetch };

async function fetchKey(did: string, settings: FetchSettings): Promise<PublicKey | null> {
  if (PLC.test(did)) {
    const answer = await fetchDocument(`${settings.plcUrl}/${did}`, settings);
    if (answer.kind === "trouble") throw new KeyServiceError(`${settings.plcUrl}: ${answer.error}`);
    return answer.kind === "document" ? keyOfDocument(did, answer.body) : null;
  }
  const host = WEB.exec(did)?.[1];
  if (host === undefined || LOCAL_DOMAINS.test(`.${host}`)) return null;
  // One account's own host: what is wrong with it is that account's affair alone.
  const answer = await fetchDocument(`https://${host}/.well-known/did.json`, settings);
  return answer.kind === "document" ? keyOfDocument(did, answer.body) : null;
}

type Answer =
  | { readonly kind: "document"; readonly body: string }
  | { readonly kind: "absent" }
  | { readonly kind: "trouble"; readonly error: string };

async function fetchDocument(url: string, settings: FetchSettings): Promise<Answer> {
  const { clock, timeoutMs, maxBodyBytes, userAgent } = settings;
  const over = new AbortController();
  const tooLate = new AbortController();
  const limit = async (): Promise<void> => {
    await clock.sleep(timeoutMs, over.signal);
    if (!over.signal.aborted) tooLate.abort(new Error(`no answer in ${timeoutMs} ms`));
  };
  void limit();
  try {
    const response = await settings.fetch(url, {
      redirect: "error",
      headers: { accept: "application/did+ld+json, application/json", "user-agent": userAgent },
      signal: tooLate.signal,
    });
    if (response.status === 200) {
      const body = await readBody(response, maxBodyBytes);
      return body === null ? { kind: "absent" } : { kind: "document", body };
    }
    await response.body?.cancel();
    const isAbsent = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
    return isAbsent ? { kind: "absent" } : { kind: "trouble", error: `HTTP ${response.status}` };
  } catch (error) {
    return { kind: "trouble", error: error instanceof Error ? error.message : String(error) };
  } finally {
    over.abort();
  }
}

/** null: larger than allowed. */
async function readBody(response: Response, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
