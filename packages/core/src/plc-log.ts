/** The signing keys that an account has had, from the PLC directory's log of its operations. */
import { parseVerificationMethod } from "./public-key.ts";
import type { PublicKey } from "./signature.ts";

const DID_KEY = "did:key:";
/** An account that has had more keys than that is not looked at any further back. */
const MOST_KEYS = 10;

/** The newest first, each once. What was taken back (`nullified`) is left out, and so is what cannot be read. */
export function readPlcLogKeys(json: string): readonly PublicKey[] {
  const texts = new Set(
    entriesOf(json)
      .toReversed()
      .map(keyTextOf)
      .filter((text) => text !== null),
  );
  return [...texts]
    .slice(0, MOST_KEYS)
    .map((text) => parseVerificationMethod("Multikey", text))
    .filter((key) => key !== null);
}

function entriesOf(json: string): readonly unknown[] {
  try {
    const entries: unknown = JSON.parse(json);
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

function keyTextOf(entry: unknown): string | null {
  if (!isObject(entry) || entry["nullified"] === true || !isObject(entry["operation"])) return null;
  const { verificationMethods, signingKey } = entry["operation"];
  // The first operations of old accounts have their key in another place.
  const key = isObject(verificationMethods) ? verificationMethods["atproto"] : signingKey;
  return typeof key === "string" && key.startsWith(DID_KEY) ? key.slice(DID_KEY.length) : null;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}
