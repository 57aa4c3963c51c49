/** Why bytes are refused: a fixed set of words, for errors and for the negative numbers that the scan returns. */
import type { ClassifiedError } from "../errors.ts";

/** All reasons. The words are stored, counted and shown: never rename one. */
export const CBOR_REFUSALS = [
  "truncated",
  "trailing-bytes",
  "not-a-map",
  "depth",
  "too-many-items",
  "non-minimal",
  "indefinite-length",
  "reserved",
  "integer-range",
  "invalid-utf8",
  "key-type",
  "key-order",
  "duplicate-key",
  "proto-key",
  "bad-tag",
  "bad-cid",
  "float",
  "simple-value",
] as const;
export type CborRefusal = (typeof CBOR_REFUSALS)[number];

export class CborError extends Error implements ClassifiedError {
  override readonly name = "CborError";
  readonly reason: CborRefusal;

  constructor(reason: CborRefusal) {
    super(`not the DAG-CBOR that atproto permits: ${reason}`);
    this.reason = reason;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** The reason that a negative result of `scanItem` stands for. */
export function refusalOf(result: number): CborRefusal {
  return CBOR_REFUSALS[-1 - result] ?? "truncated";
}

/** The result of `scanItem` that stands for a reason. */
export const refused = (reason: CborRefusal): number => -1 - CBOR_REFUSALS.indexOf(reason);
