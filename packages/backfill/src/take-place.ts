/**
 * When a batch may be applied. A place is judged against the pace as it is now; a late batch takes a new place at the end
 * of the line, exactly one, and notes it in its ledger item, so that nobody else can take its turn twice.
 */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import type { Batch } from "@firehose-backfill/core/batch";
import { hideSeconds, intervalMs, judge, type Place } from "@firehose-backfill/throttle/places";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

export type Turn =
  | { readonly kind: "now"; readonly place: Place; readonly waitedMs: number }
  | { readonly kind: "hide"; readonly seconds: number; readonly isLate: boolean };

export async function findTurn(
  deps: ConsumerDeps,
  options: { readonly batch: Batch; readonly pace: Pace; readonly place: Place },
): Promise<Turn> {
  const { clock } = deps;
  const { batch, pace } = options;
  const at = { nowMs: clock.now(), paceEpoch: pace.paceEpoch, pace: paceOf(pace) };
  switch (judge(options.place, at)) {
    case "on-time":
      return { kind: "now", place: options.place, waitedMs: Math.max(0, at.nowMs - options.place.dueMs) };
    case "early":
      return { kind: "hide", seconds: hideSeconds(options.place.dueMs, at.nowMs), isLate: false };
    case "late":
      return takeNewPlace(deps, batch, pace);
  }
}

/** Also where the database lock came too late. */
export async function takeNewPlace(deps: ConsumerDeps, batch: Batch, pace: Pace): Promise<Turn> {
  const nowMs = deps.clock.now();
  const interval = intervalMs(paceOf(pace), batch.events.length);
  const place = await deps.store.takePlace(pace.paceId, { intervalMs: interval, nowMs });
  await deps.store.setPlace(batch.key, place);
  const at = { nowMs: deps.clock.now(), paceEpoch: place.paceEpoch, pace: paceOf(pace) };
  return judge(place, at) === "on-time"
    ? { kind: "now", place, waitedMs: 0 }
    : { kind: "hide", seconds: hideSeconds(place.dueMs, at.nowMs), isLate: true };
}
