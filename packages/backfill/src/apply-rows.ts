/** One call of the sink and its result: applied, busy, late, or failed. The kind of the sink's error decides how the failure is handled. */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import { isResyncRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { Batch, BatchCounts } from "@firehose-backfill/core/batch";
import { describeError } from "@firehose-backfill/core/errors";
import { countEmptyRanges } from "@firehose-backfill/core/proved-range";
import type { IncomingMessage } from "@firehose-backfill/queue/types";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { MessageResult } from "./message-result.ts";
import type { ConsumerDeps } from "./deps.ts";
import { noteChain } from "./request-resyncs.ts";
import { paceOf } from "./pace.ts";
import { retryLater, failTheRun, waitFor } from "./failure.ts";

export interface ApplyRowsOptions {
  readonly run: Run;
  /** The pace of the batch, and the run in which a wait is recorded. */
  readonly pace: Run;
  readonly message: IncomingMessage;
  readonly batch: Batch;
  readonly rows: readonly SinkRow[];
  /** Rows that ranges prove absent: how many of them the slot is for. */
  readonly maxRemovals: number;
  readonly isOnTime: () => boolean;
}

export type ApplyRowsResult =
  | {
      readonly kind: "applied";
      readonly counts: BatchCounts;
      readonly durationMs: number;
    }
  /** The batch is applied but for `left` rows that its ranges prove absent: they take slots of their own. */
  | { readonly kind: "more"; readonly removed: number; readonly left: number }
  | { readonly kind: "busy" }
  | { readonly kind: "late" }
  /** `isAttempt`: this counts as a failed attempt of the batch. False: the cause is not the batch, such as a database that is down. */
  | { readonly kind: "failed"; readonly result: MessageResult; readonly isAttempt: boolean };

export async function applyRows(deps: ConsumerDeps, options: ApplyRowsOptions): Promise<ApplyRowsResult> {
  const { run, pace, message, batch } = options;
  const { crashPoint } = deps;
  try {
    const scope = await deps.store.getScope(run.runId);
    const result = await deps.sink.apply(batch.key, options.rows, {
      lock: {
        name: pace.paceId,
        maxConcurrent: pace.throttle.maxConcurrent,
        isOnTime: options.isOnTime,
        ...(crashPoint === undefined ? {} : { onHeld: () => crashPoint("after-lock") }),
      },
      host: run.source.host,
      database: run.database,
      bind: (found) => deps.store.bindDatabase(run.runId, found),
      onChain: (found) => noteChain(deps, run, found),
      maxRemovals: options.maxRemovals,
      isRepair: isResyncRun(run),
      ...(scope === null ? {} : { collections: scope.collections }),
      ...(batch.deadEventIds === undefined ? {} : { deadEventIds: batch.deadEventIds }),
    });
    if (result.kind !== "applied" && result.kind !== "more") return result;
    await crashPoint?.("after-commit");
    if (deps.latency.record(result.durationMs)) await slowDown(deps, pace, result.durationMs);
    if (result.kind === "more") return result;
    // A sink that cannot detect stale rows has counted them as applied.
    const counts = { ...result.counts, stale: result.counts.stale ?? 0 };
    const emptyRanges = countEmptyRanges(batch.events);
    return { ...result, counts: emptyRanges === 0 ? counts : { ...counts, emptyRanges } };
  } catch (error) {
    if (!(error instanceof SinkError)) throw error;
    const because = describeError(error);
    switch (error.kind) {
      case "service":
        return failed(await waitFor(deps, { message, batch, run: pace, because: "database", detail: because }), false);
      case "broken":
        return failed(await failTheRun(deps, { message, run, because }), false);
      case "attempt":
        return failed(await retryLater(deps, { message, batch, run, because }), true);
      default: {
        const unreachable: never = error.kind;
        throw new Error(`unknown kind of sink error ${String(unreachable)}`, { cause: error });
      }
    }
  }
}

function failed(result: MessageResult, isAttempt: boolean): ApplyRowsResult {
  return { kind: "failed", result, isAttempt };
}

/** Production answers slowly, so everything on this pace slows down, as it does when memory is short. */
async function slowDown(deps: ConsumerDeps, pace: Pace, durationMs: number): Promise<void> {
  const nowMs = deps.clock.now();
  const rose = await deps.store.raiseBackOff(pace.paceId, {
    reason: "latency",
    notAfterMs: riseAllowedBefore(nowMs, paceOf(pace).effectiveDelayMs),
    nowMs,
  });
  if (rose) deps.log(`[BACKFILL] A batch took ${Math.round(durationMs)} ms, far above the median: backing off`);
}
