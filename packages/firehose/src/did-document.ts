/** The one thing we read in a DID document: the atproto signing key. */
import { parseVerificationMethod } from "@firehose-backfill/core/public-key";
import type { PublicKey } from "@firehose-backfill/core/signature";

/** null: not a document of this DID, or without a usable key. */
export function keyOfDocument(did: string, json: string): PublicKey | null {
  const document = parse(json);
  if (!isObject(document) || document["id"] !== did) return null;
  const methods = document["verificationMethod"];
  if (!Array.isArray(methods)) return null;
  const items: readonly unknown[] = methods;
  for (const method of items) {
    if (!isObject(method) || (method["id"] !== "#atproto" && method["id"] !== `${did}#atproto`)) continue;
    const { type, publicKeyMultibase }: { type?: unknown; publicKeyMultibase?: unknown } = method;
    if (typeof type !== "string" || typeof publicKeyMultibase !== "string") return null;
    // The first one counts.
    return parseVerificationMethod(type, publicKeyMultibase);
  }
  return null;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}
