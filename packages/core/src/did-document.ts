/** What we read in a DID document: the atproto signing key, the host of the repository, and the handle that it claims. */
import { parseVerificationMethod } from "./public-key.ts";
import type { PublicKey } from "./signature.ts";

export interface DidDocument {
  /** null: the document has no usable key. */
  readonly key: PublicKey | null;
  /** `https://…` as written in the document: check it before anything is sent there. null: none. */
  readonly pds: string | null;
  /** The document claims it; nobody has checked that the name points back. null: none. */
  readonly handle: string | null;
  /** The account has ended: its owner has signed that there is no document any more. Left out: it has not. */
  readonly isTombstone?: true;
}

/** What the directory's answer about such an account comes to. */
export const TOMBSTONE: DidDocument = { key: null, pds: null, handle: null, isTombstone: true };

const MAX_ENDPOINT = 2_048;
const HANDLE =
  /^at:\/\/((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)$/;
const MAX_HANDLE = 253;

/** null: not a document of this DID. */
export function readDidDocument(did: string, json: string): DidDocument | null {
  const document = parse(json);
  if (!isObject(document) || document["id"] !== did) return null;
  return { key: keyOf(did, document), pds: pdsOf(did, document), handle: handleOf(document) };
}

function keyOf(did: string, document: Json): PublicKey | null {
  for (const method of itemsOf(document["verificationMethod"])) {
    if (!isObject(method) || (method["id"] !== "#atproto" && method["id"] !== `${did}#atproto`)) continue;
    const { type, publicKeyMultibase }: { type?: unknown; publicKeyMultibase?: unknown } = method;
    if (typeof type !== "string" || typeof publicKeyMultibase !== "string") return null;
    // The first one counts.
    return parseVerificationMethod(type, publicKeyMultibase);
  }
  return null;
}

function pdsOf(did: string, document: Json): string | null {
  for (const service of itemsOf(document["service"])) {
    if (!isObject(service) || (service["id"] !== "#atproto_pds" && service["id"] !== `${did}#atproto_pds`)) continue;
    const { type, serviceEndpoint }: { type?: unknown; serviceEndpoint?: unknown } = service;
    const isOne = type === "AtprotoPersonalDataServer" && typeof serviceEndpoint === "string";
    return isOne && serviceEndpoint.length <= MAX_ENDPOINT ? serviceEndpoint : null;
  }
  return null;
}

function handleOf(document: Json): string | null {
  for (const name of itemsOf(document["alsoKnownAs"])) {
    if (typeof name !== "string" || !name.startsWith("at://")) continue;
    const handle = HANDLE.exec(name)?.[1]?.toLowerCase() ?? null;
    return handle !== null && handle.length <= MAX_HANDLE ? handle : null;
  }
  return null;
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

type Json = { readonly [key: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
