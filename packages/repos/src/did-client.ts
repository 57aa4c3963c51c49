/** Fetches DID documents over HTTP for did:plc and did:web, with the rules that apply to hosts we do not know. */
import type { Clock } from "@firehose-backfill/core/clock";
import {
  createDidResolver,
  type DocumentAnswer,
  type FetchDocument,
  KeyServiceError,
  keysOf,
  PLC_URL,
  type ResolveDid,
  type ResolveKey,
} from "@firehose-backfill/core/did-resolver";
import { readPlcLogKeys } from "@firehose-backfill/core/plc-log";
import type { PublicKey } from "@firehose-backfill/core/signature";
import { ResponseTooLargeError } from "./errors.ts";
import type { ResolveName } from "./http/guarded-lookup.ts";
import { hostTable } from "./http/host-table.ts";
import { troubleText } from "./http/http-errors.ts";
import { createPoliteClient, type PoliteClient } from "./http/polite-client.ts";
import type { HttpAnswer, RequestLimits, SendGet } from "./http/request.ts";

export interface DidClientOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly userAgent: string;
  readonly resolveName: ResolveName;
  /** Default: over a socket. */
  readonly send?: SendGet | undefined;
  /** Default: the public PLC directory. An http address is allowed on loopback only, for a private network. */
  readonly plcUrl?: string;
  /** Documents that are remembered. */
  readonly maxEntries?: number;
  /** To one host. Left out: as many as a directory is built for. */
  readonly requestsPerSecond?: number;
  /** How young a document has to be so that it is not fetched anew when that is asked for. */
  readonly minRefreshMs?: number;
}

export interface DidClient extends Disposable {
  readonly resolveDid: ResolveDid;
  readonly resolveKey: ResolveKey;
  readonly earlierKeys: EarlierKeys;
}

/**
 * The signing keys that an account has or had, the newest first. Of a did:web account none are known.
 * Rejects with KeyServiceError if the directory cannot be asked.
 */
export type EarlierKeys = (did: string) => Promise<readonly PublicKey[]>;

const LIMITS: RequestLimits = {
  maxBytes: 65_536,
  maxInflatedBytes: 65_536,
  deadlineMs: 5_000,
  minBytesPerWindow: 1,
  windowMs: 5_000,
};
/** An operation takes about a kilobyte. */
const LOG_LIMITS: RequestLimits = { ...LIMITS, maxBytes: 1_048_576, maxInflatedBytes: 1_048_576 };
const ACCEPT = "application/did+ld+json, application/json";
/** The directory is built for many look-ups; the host of a did:web account is asked for one document. */
const PER_SECOND = 50;
const CONNECTIONS = 8;
const MAX_HOSTS = 10_000;
const MAX_WAIT_MS = 2_000;

export function openDidClient(options: DidClientOptions): DidClient {
  const plcUrl = (options.plcUrl ?? PLC_URL).replace(/\/+$/, "");
  const client = createPoliteClient({
    ...options,
    // A private network has its directory and its accounts' hosts on loopback.
    rules: { allowLoopback: plcUrl.startsWith("http:") },
    requestsPerSecond: options.requestsPerSecond ?? PER_SECOND,
    connectionsPerHost: CONNECTIONS,
    states: hostTable(MAX_HOSTS),
    maxWaitMs: MAX_WAIT_MS,
  });
  const { clock, maxEntries, minRefreshMs } = options;
  const resolveDid = createDidResolver({
    clock,
    fetchDocument: documentFetcher(client),
    plcUrl,
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...(minRefreshMs === undefined ? {} : { minRefreshMs }),
  });
  const fetchLog = documentFetcher(client, LOG_LIMITS);
  return {
    resolveDid,
    resolveKey: keysOf(resolveDid),
    async earlierKeys(did) {
      if (!did.startsWith("did:plc:")) return [];
      const answer = await fetchLog(`${plcUrl}/${did}/log/audit`);
      if (answer.kind === "trouble") throw new KeyServiceError(`${plcUrl}: ${answer.error}`);
      return answer.kind === "document" ? readPlcLogKeys(answer.body) : [];
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Never rejects: an error is part of the answer. */
export function documentFetcher(client: PoliteClient, limits = LIMITS): FetchDocument {
  // The request has a short deadline, so no caller needs to stop it.
  const { signal } = new AbortController();
  return async (url) => {
    const { origin, pathname } = new URL(url);
    try {
      return await client.get({ origin, path: pathname, accept: ACCEPT, limits }, signal, readAnswer);
    } catch (error) {
      if (error instanceof ResponseTooLargeError) return { kind: "absent" };
      return { kind: "trouble", error: troubleText(error, { isHostKnown: true }) };
    }
  };
}

async function readAnswer({ status, body }: HttpAnswer): Promise<DocumentAnswer> {
  if (status === 200) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { kind: "document", body: Buffer.concat(chunks).toString("utf8") };
  }
  if (status === 410) return { kind: "gone" };
  const isAbsent = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
  return isAbsent ? { kind: "absent" } : { kind: "trouble", error: `HTTP ${status}` };
}
