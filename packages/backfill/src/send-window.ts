/**
 * The reader's order, invariant 1: the pace is reserved before the first send, a window is durable in the queue before
 * the cursor, the cursor moves last. After a crash some slots
 * may stay unused, which is slower, or batches may come twice, which is harmless. Nothing is lost.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease, WindowItem } from "@firehose-backfill/checkpoint/window";
import type { LoggedBatch } from "@firehose-backfill/core/batch";
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { packBatches } from "@firehose-backfill/queue/pack";
import type { QueueLimits } from "@firehose-backfill/queue/types";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { Window } from "@firehose-backfill/source/window";
import { delaySeconds, layOutSlots } from "@firehose-backfill/throttle/slots";
import type { ReaderDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";
import { queueRefused } from "./queue-size.ts";

export type SendResult =
  | { readonly kind: "registered"; readonly run: Run; readonly events: number; readonly batches: number }
  /** Lease, generation or status moved on under us: the window is dropped unread, as far as the run is concerned. */
  | { readonly kind: "dropped"; readonly because: string };

export async function sendWindow(
  deps: ReaderDeps,
  lease: Lease,
  run: Run,
  window: Window & { readonly to: Cursor },
  limits: QueueLimits,
): Promise<SendResult> {
  const reserved = await reserve(deps, lease, run, window.events, limits);
  if (reserved === null) return { kind: "dropped", because: "run changed" };
  const { batches } = reserved;
  await deps.crashPoint?.("after-reserve");

  const nowMs = deps.clock.now();
  const { crashPoint } = deps;
  let sentBytes: number;
  try {
    sentBytes = await deps.queue.send(
      batches.map((batch) => ({ batch, delaySeconds: delaySeconds(batch.dueMs, nowMs) })),
      crashPoint === undefined ? {} : { onConfirmed: () => crashPoint("after-send-n") },
    );
  } catch (error) {
    return { kind: "dropped", because: await queueRefused(deps, run, limits, error) };
  }
  await deps.crashPoint?.("after-send");

  const item: WindowItem = {
    runId: run.runId,
    generation: run.generation,
    number: run.registered + 1,
    fence: lease.fence,
    from: run.readerCursor,
    to: window.to,
    batches: batches.length,
    events: window.events.counted,
    bytes: sentBytes,
    sentAtMs: nowMs,
    ...lastDue(batches),
    received: window.received,
    skipped: window.skipped,
  };
  if (!(await deps.store.putWindow(lease, item))) return { kind: "dropped", because: "lease lost" };
  await deps.crashPoint?.("before-cursor");
  const moved = await deps.store.moveCursor(lease, {
    window: item.number,
    generation: run.generation,
    readerCursor: window.to,
    startPosition: run.startPosition ?? window.first,
    sourceState: window.state,
    target: window.verdict.kind === "end" ? window.to : run.target,
    keptSinceMs: keptAtStart(run, window.keptSinceMs, deps.clock.now()) ?? run.keptSinceMs,
    ...(window.progress == null ? {} : { progress: window.progress }),
  });
  if (!moved) return { kind: "dropped", because: "lease lost" };
  await deps.crashPoint?.("after-cursor");
  const after = await deps.store.getRun(run.runId);
  if (after === null || after.fence !== lease.fence) return { kind: "dropped", because: "lease lost" };
  return { kind: "registered", run: after, events: window.events.counted, batches: batches.length };
}

/**
 * What the host keeps moves on while the run goes on. It is noted as it was when the run began, so that a measurement of
 * weeks later (after `resume --from`) says as much about how long the host keeps its events as one of the first minute.
 */
function keptAtStart(run: Run, keptSinceMs: number | null, nowMs: number): number | null {
  return keptSinceMs === null ? null : keptSinceMs - (nowMs - run.createdAtMs);
}

function lastDue(batches: readonly LoggedBatch[]): Pick<WindowItem, "lastDueMs"> {
  const last = batches.at(-1);
  return last === undefined ? {} : { lastDueMs: last.dueMs };
}

/** Packs the window and gives each batch its slot. Packs again if the pace was tuned in between. null: stop, plan nothing. */
async function reserve(
  deps: ReaderDeps,
  lease: Lease,
  run: Run,
  events: EventLog,
  limits: QueueLimits,
): Promise<{ batches: readonly LoggedBatch[] } | null> {
  let current = run;
  for (;;) {
    const pace = paceOf(current);
    const packed = packBatches(events, { batchSize: pace.batchSize, limits });
    const layout = layOutSlots(
      pace,
      packed.map((group) => group.counted),
      { plannedDueMs: current.plannedDueMs, nowMs: deps.clock.now() },
    );
    const isPaced = pace.effectiveDelayMs > 0;
    const batches = packed.map((group, number): LoggedBatch => ({
      key: { runId: run.runId, generation: run.generation, window: run.registered + 1, fence: lease.fence, number },
      dueMs: layout.dueMs[number] ?? layout.nextMs,
      paceVersion: isPaced ? current.paceVersion : 0,
      events: group,
    }));
    if (!isPaced || batches.length === 0) return { batches };
    const slots = { expectedMs: current.plannedDueMs, nextMs: layout.nextMs, paceVersion: current.paceVersion };
    if (await deps.store.reserveSlots(current.paceId, slots)) return { batches };
    const again = await deps.store.getRun(run.runId);
    if (
      again === null ||
      again.fence !== lease.fence ||
      again.generation !== run.generation ||
      again.status !== "running"
    )
      return null;
    current = again;
  }
}
