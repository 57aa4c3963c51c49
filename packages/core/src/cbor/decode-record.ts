/** Decodes a record's block from the network to a plain value, after the strict scan. */
import type { ClassifiedError } from "../errors.ts";
import { type CborMap, decodeScanned, isCborMap } from "./decoder.ts";
import { MAP } from "./head.ts";
import { type CborRefusal, refusalOf } from "./refusal.ts";
import { ATPROTO_RULES, lastScanSawWideNegative, scanItem } from "./strict-scan.ts";
import { readUsualRecord } from "./usual-record.ts";

/** Largest record block that the protocol permits. */
export const MAX_RECORD_BYTES = 1_000_000;

/** Why a record can never be applied; stored with its dead event and counted. `nul-character`: jsonb cannot hold U+0000. */
export type BadRecordReason = CborRefusal | "too-large" | "nul-character";

export class BadRecordError extends Error implements ClassifiedError {
  override readonly name = "BadRecordError";
  readonly reason: BadRecordReason;

  constructor(reason: BadRecordReason) {
    super(`bad record: ${reason}`);
    this.reason = reason;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** @throws BadRecordError for anything else than one map of strict DAG-CBOR. */
export function scanRecord(block: Uint8Array): void {
  if (block.length > MAX_RECORD_BYTES) throw new BadRecordError("too-large");
  const end = scanItem(block, 0, block.length, ATPROTO_RULES);
  if (end < 0) throw new BadRecordError(refusalOf(end));
  if (end !== block.length) throw new BadRecordError("trailing-bytes");
  if ((block[0] ?? 0) >> 5 !== MAP) throw new BadRecordError("not-a-map");
}

/**
 * The record in a block. It shares no memory with the block; bytes are plain Uint8Arrays, links are CidLinks.
 * @throws BadRecordError for anything else than one map of strict DAG-CBOR.
 */
export function decodeRecord(block: Uint8Array): CborMap {
  const usual = block.length > MAX_RECORD_BYTES ? null : readUsualRecord(block);
  return usual ?? decodeAnyRecord(block);
}

/** The same by the strict scan and cbor-x. It takes twice as long, and knows why a block is refused. */
export function decodeAnyRecord(block: Uint8Array): CborMap {
  scanRecord(block);
  const value = decodeScanned(block, lastScanSawWideNegative());
  if (!isCborMap(value)) throw new BadRecordError("not-a-map");
  return value;
}
