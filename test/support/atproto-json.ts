/** The JSON form of a decoded DAG-CBOR value, by atproto's data model, and a text for comparing two of them. */
import { CID } from "multiformats/cid";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** @throws TypeError for a value that the data model does not have */
export function toAtprotoJson(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError("float");
    return value;
  }
  if (typeof value !== "object") throw new TypeError(typeof value);
  const cid = CID.asCID(value);
  if (cid !== null) return { $link: cid.toString() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64").replaceAll("=", "") };
  if (Array.isArray(value)) return value.map(toAtprotoJson);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toAtprotoJson(inner)]));
}

/** Whether a string or a key contains U+0000, which jsonb cannot store. */
export function holdsNul(value: Json): boolean {
  if (typeof value === "string") return value.includes("\0");
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key.includes("\0") || holdsNul(inner));
}

/** Equal values have equal texts: jsonb keeps neither the order of keys nor white space. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
