/** What is said of a tick: the lines of a long-lived process, their figures as fields, and the reader's metrics. */
import type { TurnResult } from "@firehose-backfill/backfill/turn";
import { secondsOverdue, secondsWaiting } from "@firehose-backfill/backfill/trouble";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { MAX_OPEN_RUNS } from "@firehose-backfill/checkpoint/run";
import { runSuffix } from "@firehose-backfill/core/log-lines";
import { memoryLine, progressLine, throttlingConfigLines } from "@firehose-backfill/core/log-lines";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Figures } from "./figures.ts";
import { addTrouble } from "./metrics.ts";
import type { Observability } from "./observability.ts";

export interface TickReporter {
  /** Once a tick for each open run. `isOnly`: no other one is open, and its lines are those of the seed, word for word. */
  report(result: TurnResult, snapshot: Snapshot, of: { readonly readerMb: number; readonly isOnly: boolean }): void;
}

export function createTickReporter({ logger, metrics, publish }: Observability): TickReporter {
  /** By run, what was said last. */
  const saidConfigs = new Map<string, string>();

  const sayConfig = ({ runId, throttle }: Run) => {
    const text = throttlingConfigLines(throttle).join("\n");
    if (saidConfigs.get(runId) === text) return;
    if (saidConfigs.size >= MAX_OPEN_RUNS) saidConfigs.clear();
    saidConfigs.set(runId, text);
    logger.info(text, { runId, throttle: { ...throttle } });
  };

  return {
    report({ run, read, outstanding, endedBecause, isLeaseLost }, snapshot, { readerMb, isOnly }) {
      sayConfig(run);
      const { received, processed, dead, status } = snapshot;
      const ratePerSecond = snapshot.ratePerSecond ?? snapshot.averageRatePerSecond ?? 0;
      const skipped = Object.values(snapshot.skipped).reduce((sum, count) => sum + count, 0);
      const about = {
        runId: run.runId,
        ...(run.name === null ? {} : { runName: run.name }),
        status,
        endedBecause,
      };
      const suffix = isOnly ? "" : runSuffix(run);
      const nowMs = Date.parse(snapshot.at);
      const readTo = snapshot.cursor.reader?.time ?? null;
      // What alarms are about, at every tick: the metrics are written near an alarm only and have no dimension for the run.
      const trouble = {
        waitingSeconds: secondsWaiting(run, nowMs),
        ...(outstanding === null ? {} : { oldestDueSeconds: secondsOverdue(run, outstanding, nowMs) }),
        ...(snapshot.fallsOffInSeconds === null ? {} : { fallsOffInSeconds: snapshot.fallsOffInSeconds }),
      };
      const figures: Figures = {
        framesRead: read?.frames ?? 0,
        eventsMatched: read?.matched ?? 0,
        eventsEnqueued: read?.enqueued ?? 0,
        relayGaps: read?.gaps ?? 0,
        leaseLost: isLeaseLost ? 1 : 0,
        ...(readTo === null ? {} : { readerLagSeconds: (nowMs - Date.parse(readTo)) / 1000 }),
        memoryRssMb: readerMb,
      };
      logger.info(`${progressLine({ received, processed, skipped, ratePerSecond })}${suffix}`, {
        ...about,
        received,
        processed,
        skipped,
        dead,
        ratePerSecond,
        windows: read?.windows ?? 0,
        ...trouble,
        ...figures,
        ...(run.waiting === null ? {} : { waitingFor: run.waiting.for }),
      });
      const usedMb = snapshot.memory.usedMb ?? readerMb;
      const limitMb = snapshot.memory.limitMb ?? run.throttle.maxMemoryMb;
      logger.info(`${memoryLine({ usedMb, limitMb })}${suffix}`, { ...about, usedMb, limitMb, readerMb });

      addTrouble(metrics, trouble);
      if (isOnly || !metrics.hasStoredMetrics()) return;
      // Beside others its metrics are a line of their own, which says whose they are. Alarms see all of them.
      metrics.addMetadata("run", run.name ?? run.runId);
      publish();
    },
  };
}
