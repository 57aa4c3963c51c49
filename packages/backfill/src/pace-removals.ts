/**
 * The pace of removals. A row that a range of a repository proves absent is an event when it is removed, and how many there are is
 * known only where the range is applied. So the batch is applied without them, and the rest of it takes a slot that is as
 * long as they need: from its beginning on, a batch's worth of them is removed each time that a batch would be due.
 */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import type { Batch } from "@firehose-backfill/core/batch";
import { countEmptyRanges } from "@firehose-backfill/core/proved-range";
import { intervalMs, type Slot } from "@firehose-backfill/throttle/slots";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

/** Of one slot. A longer one would hold up everything that is planned after it. */
const MOST_ROWS_A_SLOT = 2000;

/**
 * How many rows may be removed now. At first a range without records has one event of the batch to itself; `reserved`: the rows
 * that the rest of a slot is for; 0: no slot was taken for them yet.
 */
export function removalsNow(pace: Pace, batch: Batch, reserved: number): number {
  const { batchSize, effectiveDelayMs } = paceOf(pace);
  if (reserved > 0) return Math.min(reserved, batchSize);
  return effectiveDelayMs === 0 ? batchSize : countEmptyRanges(batch.events);
}

/** When the batch goes on: within its slot, as long as that lasts, or in a new one. null: at once, for nothing is paced. */
export async function planRemovals(
  deps: ConsumerDeps,
  options: {
    readonly batch: Batch;
    readonly pace: Pace;
    readonly slot: Slot;
    readonly reserved: number;
    readonly removed: number;
    readonly left: number;
  },
): Promise<{ readonly dueMs: number } | null> {
  const { batch, pace, slot, left } = options;
  const rate = paceOf(pace);
  if (rate.effectiveDelayMs === 0) {
    await deps.store.setSlot(batch.key, { ...slot, removals: left });
    return null;
  }
  const used = Math.min(options.reserved, rate.batchSize);
  const reserved = Math.min(left, options.reserved - used);
  if (reserved > 0) {
    const rest = { dueMs: slot.dueMs + intervalMs(rate, used), paceVersion: slot.paceVersion };
    await deps.store.setSlot(batch.key, { ...rest, removals: reserved });
    return rest;
  }
  const removals = Math.min(left, MOST_ROWS_A_SLOT);
  const nowMs = deps.clock.now();
  const taken = await deps.store.takeSlot(pace.paceId, { intervalMs: intervalMs(rate, removals), nowMs });
  await deps.store.setSlot(batch.key, { ...taken, removals });
  return taken;
}
