/** One call of the sink and what its answer means: applied, busy, late, or a setback told apart by the sink's own class. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Batch, BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import { describeError } from "@firehose-backfill/core/errors";
import type { IncomingMessage } from "@firehose-backfill/queue/types";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import type { SinkRow } from "@firehose-backfill/sink/types";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { MessageResult } from "./apply-message.ts";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";
import { retryLater, stopLoudly, waitFor } from "./setback.ts";

export interface ApplyRowsOptions {
  readonly run: Run;
  readonly paceRun: Run;
  readonly message: IncomingMessage;
  readonly batch: Batch;
  readonly rows: readonly SinkRow[];
  readonly isOnTime: () => boolean;
}

export type ApplyRowsResult =
  | { readonly kind: "applied"; readonly counts: BatchCounts; readonly durationMs: number }
  | { readonly kind: "busy" }
  | { readonly kind: "late" }
  /** `isFault`: an attempt at the batch has failed, which counts. Otherwise it was not the batch's turn to fail. */
  | { readonly kind: "setback"; readonly result: MessageResult; readonly isFault: boolean };

export async function applyRows(deps: ConsumerDeps, options: ApplyRowsOptions): Promise<ApplyRowsResult> {
  const { run, paceRun, message, batch } = options;
  const { crashPoint } = deps;
  try {
    const result = await deps.sink.apply({
      runId: run.runId,
      lockRunId: paceRun.runId,
      maxConcurrent: paceRun.throttle.maxConcurrent,
      rows: options.rows,
      host: run.source.host,
      database: run.database,
      bind: (found) => deps.store.bindDatabase(run.runId, found),
      ...(batch.deadEventIds === undefined ? {} : { redrive: { batch: nameOf(batch.key), ids: batch.deadEventIds } }),
      isOnTime: options.isOnTime,
      ...(crashPoint === undefined ? {} : { onLocked: () => crashPoint("after-lock") }),
    });
    if (result.kind !== "applied") return result;
    await crashPoint?.("after-commit");
    if (deps.latency.record(result.durationMs)) await slowDown(deps, paceRun, result.durationMs);
    return result;
  } catch (error) {
    if (!(error instanceof SinkError)) throw error;
    const because = describeError(error);
    switch (error.kind) {
      case "service":
        return setback(
          await waitFor(deps, { message, batch, run: paceRun, because: "database", detail: because }),
          false,
        );
      case "broken":
        return setback(await stopLoudly(deps, { message, run, because }), false);
      case "attempt":
        return setback(await retryLater(deps, { message, batch, run, because }), true);
      default: {
        const unreachable: never = error.kind;
        throw new Error(`unknown kind of sink error ${String(unreachable)}`, { cause: error });
      }
    }
  }
}

function nameOf({ epoch, window, fence, number }: BatchKey): string {
  return `${epoch}/${window}/${fence}/${number}`;
}

function setback(result: MessageResult, isFault: boolean): ApplyRowsResult {
  return { kind: "setback", result, isFault };
}

/** Production answers slowly: the whole run slows down, as it does under memory pressure. */
async function slowDown(deps: ConsumerDeps, run: Run, durationMs: number): Promise<void> {
  const nowMs = deps.clock.now();
  const rose = await deps.store.raiseBackOff(run.runId, {
    reason: "latency",
    notAfterMs: riseAllowedBefore(nowMs, paceOf(run).effectiveDelayMs),
    nowMs,
  });
  if (rose) deps.log(`[BACKFILL] A batch took ${Math.round(durationMs)} ms, far above the median: backing off`);
}
