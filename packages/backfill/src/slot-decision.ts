/**
 * When a batch may be applied. A place is judged against the pace as it is now; a late batch takes a new place at the end
 * of the line, exactly one, and notes it in its ledger item, so that nobody else can take its turn twice.
 */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import type { Batch } from "@firehose-backfill/core/batch";
import { hideSeconds, intervalMs, judge, type Slot } from "@firehose-backfill/throttle/slots";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

export type SlotDecision =
  | { readonly kind: "now"; readonly slot: Slot; readonly waitedMs: number }
  | { readonly kind: "hide"; readonly seconds: number; readonly isLate: boolean };

export async function decideSlot(
  deps: ConsumerDeps,
  options: { readonly batch: Batch; readonly pace: Pace; readonly slot: Slot },
): Promise<SlotDecision> {
  const { clock } = deps;
  const { batch, pace } = options;
  const at = { nowMs: clock.now(), paceVersion: pace.paceVersion, pace: paceOf(pace) };
  switch (judge(options.slot, at)) {
    case "on-time":
      return { kind: "now", slot: options.slot, waitedMs: Math.max(0, at.nowMs - options.slot.dueMs) };
    case "early":
      return { kind: "hide", seconds: hideSeconds(options.slot.dueMs, at.nowMs), isLate: false };
    case "late":
      return takeNewSlot(deps, batch, pace);
  }
}

/** Also where the database lock came too late. */
export async function takeNewSlot(deps: ConsumerDeps, batch: Batch, pace: Pace): Promise<SlotDecision> {
  const nowMs = deps.clock.now();
  const interval = intervalMs(paceOf(pace), batch.events.length);
  const slot = await deps.store.takeSlot(pace.paceId, { intervalMs: interval, nowMs });
  await deps.store.setSlot(batch.key, slot);
  const at = { nowMs: deps.clock.now(), paceVersion: slot.paceVersion, pace: paceOf(pace) };
  return judge(slot, at) === "on-time"
    ? { kind: "now", slot, waitedMs: 0 }
    : { kind: "hide", seconds: hideSeconds(slot.dueMs, at.nowMs), isLate: true };
}
