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
  let told = "";
  return async (run) => {
    const stop = run.status === "errored" ? `${run.runId} ${run.reason ?? ""}` : "";
    if (stop === told) return;
    told = stop;
    if (stop === "") return;
    try {
      await options.publish(noticeOf(run));
    } catch (error) {
      told = "";
      options.log(`[BACKFILL] Run ${run.runId} is errored, and the notice could not be sent: ${describeError(error)}`);
    }
  };
}
