/** Asks the domain of a handle which account it belongs to: the DNS record first, as atproto has it, then a file on its web server. */
import type { HandleCheck } from "@firehose-backfill/core/event";
import { ResponseTooLargeError } from "../errors.ts";
import { ForbiddenAddressError, HostError, HostWaitingError } from "../http/http-errors.ts";
import type { PoliteClient } from "../http/polite-client.ts";
import type { HttpAnswer, RequestLimits } from "../http/request.ts";

/** The TXT records of a name, each in its pieces. Rejects where there are none or nobody answers. */
export type ResolveTexts = (name: string) => Promise<readonly (readonly string[])[]>;

export interface AskDomainOptions {
  readonly client: PoliteClient;
  readonly resolveTexts: ResolveTexts;
  /** Where the web server of a handle is. Left out: `https://HANDLE`. */
  readonly originOf?: (handle: string) => string;
}

const LIMITS: RequestLimits = {
  maxBytes: 4_096,
  maxInflatedBytes: 4_096,
  deadlineMs: 5_000,
  minBytesPerWindow: 1,
  windowMs: 5_000,
};
const DID = /^did:[a-z]+:[a-zA-Z0-9._:%-]{1,2000}$/;

/** Never rejects for what a domain does. */
export async function askDomain(
  { handle, did }: { readonly handle: string; readonly did: string },
  { client, resolveTexts, originOf = (name) => `https://${name}` }: AskDomainOptions,
  signal: AbortSignal,
): Promise<Extract<HandleCheck, "verified" | "elsewhere" | "unreachable">> {
  const named = (await didInDns(handle, resolveTexts)) ?? (await didOnServer(originOf(handle), client, signal));
  if (named === null) return "unreachable";
  return named === did ? "verified" : "elsewhere";
}

/** null: there is no record, or several that disagree, which count as none. */
async function didInDns(handle: string, resolveTexts: ResolveTexts): Promise<string | null> {
  const records = await resolveTexts(`_atproto.${handle}`).catch(() => []);
  const named = new Set(records.map((pieces) => pieces.join("")).filter((text) => text.startsWith("did=")));
  const [only] = named;
  if (only === undefined || named.size > 1) return null;
  const did = only.slice("did=".length);
  return DID.test(did) ? did : null;
}

async function didOnServer(origin: string, client: PoliteClient, signal: AbortSignal): Promise<string | null> {
  const get = { origin, path: "/.well-known/atproto-did", accept: "text/plain", limits: LIMITS };
  try {
    return await client.get(get, signal, readDid);
  } catch (error) {
    if (NO_ANSWER.some((known) => error instanceof known)) return null;
    throw error;
  }
}

const NO_ANSWER = [HostError, HostWaitingError, ForbiddenAddressError, ResponseTooLargeError];

async function readDid({ status, body }: HttpAnswer): Promise<string | null> {
  if (status !== 200) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8").trim();
  return DID.test(text) ? text : null;
}
