/**
 * Notices for consumers that cannot send them: in a VPC without an endpoint of SNS nothing but the reader reaches the
 * topic. The reader sees at its next tick that the run has stopped, and publishes it once for each environment of its own.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";
import { type Notice, noticeOf } from "./run-notices.ts";

export function tellStopsOfOthers(options: {
  readonly publish: (notice: Notice) => Promise<void>;
  readonly log: (line: string) => void;
}): (run: Run) => Promise<void> {
  /** The reason of each run that was told to be errored. */
  const told = new Map<string, string>();
  return async (run) => {
    if (run.status !== "errored") {
      told.delete(run.runId);
      return;
    }
    const reason = run.reason ?? "";
    if (told.get(run.runId) === reason) return;
    told.set(run.runId, reason);
    try {
      await options.publish(noticeOf(run));
    } catch (error) {
      told.delete(run.runId);
      options.log(`[BACKFILL] Run ${run.runId} is errored, and the notice could not be sent: ${describeError(error)}`);
    }
  };
}
