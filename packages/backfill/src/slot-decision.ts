/**
 * Decides whether a batch may be applied now. Its slot is compared with the pace as it is now. A late batch takes exactly
 * one new slot, after all others, and notes it in its ledger item, so that another delivery of it uses the same slot.
 */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import type { Batch } from "@firehose-backfill/core/batch";
import { countedEvents } from "@firehose-backfill/core/proved-range";
import { hideSeconds, intervalMs, judge, type Slot } from "@firehose-backfill/throttle/slots";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

export type SlotDecision =
  | { readonly kind: "now"; readonly slot: Slot; readonly waitedMs: number }
  | { readonly kind: "hide"; readonly seconds: number; readonly isLate: boolean };

export async function decideSlot(
  deps: ConsumerDeps,
  options: { readonly batch: Batch; readonly pace: Pace; readonly slot: Slot; readonly removals: number },
): Promise<SlotDecision> {
  const { clock } = deps;
  const { batch, pace, removals } = options;
  const at = { nowMs: clock.now(), paceVersion: pace.paceVersion, pace: paceOf(pace) };
  switch (judge(options.slot, at)) {
    case "on-time":
      return { kind: "now", slot: options.slot, waitedMs: Math.max(0, at.nowMs - options.slot.dueMs) };
    case "early":
      return { kind: "hide", seconds: hideSeconds(options.slot.dueMs, at.nowMs), isLate: false };
    case "late":
      return takeNewSlot(deps, { batch, pace, removals });
  }
}

/**
 * Also called when the database lock was obtained too late for the slot. `removals`: 0, or so many rows that ranges of the batch
 * prove absent are all that is left of it.
 */
export async function takeNewSlot(
  deps: ConsumerDeps,
  { batch, pace, removals }: { readonly batch: Batch; readonly pace: Pace; readonly removals: number },
): Promise<SlotDecision> {
  const nowMs = deps.clock.now();
  const interval = intervalMs(paceOf(pace), removals > 0 ? removals : countedEvents(batch.events));
  const slot = await deps.store.takeSlot(pace.paceId, { intervalMs: interval, nowMs });
  await deps.store.setSlot(batch.key, slot);
  const at = { nowMs: deps.clock.now(), paceVersion: slot.paceVersion, pace: paceOf(pace) };
  return judge(slot, at) === "on-time"
    ? { kind: "now", slot, waitedMs: 0 }
    : { kind: "hide", seconds: hideSeconds(slot.dueMs, at.nowMs), isLate: true };
}
