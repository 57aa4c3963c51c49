/** What a consumer reports about itself in the run's notes; on AWS this is the only way to see its memory and its connections. */
import type { ConsumerReport } from "@firehose-backfill/checkpoint/notes";
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { Clock } from "@firehose-backfill/core/clock";

/** The status page uses a report for 90 s. */
const EVERY_MS = 30_000;

/** The environment's log stream in the letters that an id may have; its end differs for each environment. */
export function consumerId(logStream: string): string {
  return logStream.replaceAll(/[^\w.:@/-]/g, "-").slice(-64);
}

export type ReportNow = (runId: string, figures: Omit<ConsumerReport, "id" | "atMs">) => Promise<void>;

/** Reports at most every 30 s. `id`: this environment's name. */
export function reportNowAndThen(options: {
  readonly store: Pick<NoteStore, "reportConsumer">;
  readonly clock: Pick<Clock, "now">;
  readonly id: string;
}): ReportNow {
  let lastMs = Number.NEGATIVE_INFINITY;
  return async (runId, figures) => {
    const atMs = options.clock.now();
    if (atMs - lastMs < EVERY_MS) return;
    lastMs = atMs;
    await options.store.reportConsumer(runId, { id: options.id, atMs, ...figures });
  };
}
