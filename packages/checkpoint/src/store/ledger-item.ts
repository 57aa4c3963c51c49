/** The item of one batch in the ledger, and when it may expire. */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import type { BatchOutcome, LedgerEntry } from "../ledger.ts";
import type { Item, Value } from "../table/table.ts";
import {
  readCount,
  readFlag,
  readNumber,
  readNumberOrNull,
  readNumbersOrNull,
  readOneOf,
  readText,
} from "./attributes.ts";
import { readLedgerPath } from "./keys.ts";

/** An entry with the fields that only the store uses. */
export interface StoredEntry extends LedgerEntry {
  /** The counts of the first outcome, if a redrive has replaced them. */
  readonly before: BatchCounts | null;
  /** The sweep has found the entry in a counted window, so the counts of its first outcome are in the totals. */
  readonly isCounted: boolean;
}

const OUTCOMES = ["applied", "dead"] as const satisfies BatchOutcome[];
/** A message can stay in the queue or the dead-letter queue for 14 days. The entry is kept at least as long as any copy of its batch. */
const KEPT_SECONDS = 14 * 86_400;
const DEAD_KEPT_SECONDS = 30 * 86_400;

/** The table's TTL attribute, seconds since the epoch. */
export function expiresAt(nowMs: number, outcome: BatchOutcome | null): number {
  const keptSeconds = outcome === "dead" ? DEAD_KEPT_SECONDS : KEPT_SECONDS;
  return Math.ceil(nowMs / 1000) + keptSeconds;
}

/** The counts of ranges are left out if they are 0, because most batches contain no ranges. */
export function counts({ applied, stale, dead, deadReasons = {}, removed = 0, emptyRanges = 0 }: BatchCounts): Value {
  const reasons = Object.entries(deadReasons).map(([reason, count]) => [DEAD_REASON + reason, count] as const);
  const ofRanges = { ...(removed > 0 && { removed }), ...(emptyRanges > 0 && { emptyRanges }) };
  return { applied, stale, dead, ...ofRanges, ...Object.fromEntries(reasons) };
}

/** Prefix of a reason, to tell reasons from the other counts in the same map. */
const DEAD_REASON = "dead:";

export function readEntry(runId: string, item: Item): StoredEntry {
  return {
    key: readLedgerPath(runId, readText(item, "sk")),
    attempts: readCount(item, "attempts"),
    dueMs: readNumberOrNull(item, "dueMs"),
    paceVersion: readNumberOrNull(item, "paceEpoch"),
    removals: readCount(item, "removals"),
    waits: readCount(item, "waits"),
    outcome: item["outcome"] === undefined ? null : readOneOf(item, "outcome", OUTCOMES),
    counts: readCounts(item, "counts"),
    finishedAtMs: readNumberOrNull(item, "finishedAtMs"),
    correctionPending: readFlag(item, "correctionPending"),
    before: readCounts(item, "before"),
    isCounted: readFlag(item, "isCounted"),
  };
}

/** The entry without the fields that only the store uses. */
export function visible(stored: StoredEntry): LedgerEntry {
  const { before: _before, isCounted: _isCounted, ...entry } = stored;
  return entry;
}

/** The entry with its first outcome. When the applied cursor moves, the first outcome is what is added to the totals. */
export function firstOutcome(stored: StoredEntry): LedgerEntry {
  const entry = visible(stored);
  return stored.before === null ? entry : { ...entry, outcome: "dead", counts: stored.before };
}

function readCounts(item: Item, name: string): BatchCounts | null {
  const map = readNumbersOrNull(item, name);
  if (map === null) return null;
  const names = Object.keys(map).filter((key) => key.startsWith(DEAD_REASON));
  const reasons = names.map((key) => [key.slice(DEAD_REASON.length), readNumber(map, key)]);
  return {
    applied: readNumber(map, "applied"),
    stale: readNumber(map, "stale"),
    dead: readNumber(map, "dead"),
    ...(map["removed"] !== undefined && { removed: map["removed"] }),
    ...(map["emptyRanges"] !== undefined && { emptyRanges: map["emptyRanges"] }),
    ...(names.length > 0 && { deadReasons: Object.fromEntries(reasons) }),
  };
}
