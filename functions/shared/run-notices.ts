/**
 * Notifies the operator when a run has ended or stopped, through the topic of the alarms. The environment that
 * makes the transition publishes it once. If it dies in between, nothing is published, and only the status page shows it.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { describeError } from "@firehose-backfill/core/errors";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import { stageName } from "./links.ts";

export interface Notice {
  /** One line of ASCII, at most 100 characters: SNS uses it as the subject of a mail. */
  readonly subject: string;
  readonly message: string;
}

const TOLD: ReadonlySet<RunStatus> = new Set(["succeeded", "cancelled", "errored", "paused"]);

/** The same store; a transition to an end or a stop is published. */
export function tellTransitions(
  store: CheckpointStore,
  options: { readonly publish: (notice: Notice) => Promise<void>; readonly log: (line: string) => void },
): CheckpointStore {
  return {
    ...store,
    async transition(runId, from, to, patch) {
      const run = await store.transition(runId, from, to, patch);
      if (run === null || !TOLD.has(to)) return run;
      try {
        await options.publish(noticeOf(run));
      } catch (error) {
        // The run has stopped even though nothing could be published.
        options.log(
          `[BACKFILL] Run ${runId} is ${to}, and the notice about it could not be sent: ${describeError(error)}`,
        );
      }
      return run;
    },
  };
}

export function noticeOf(run: Run): Notice {
  const { received, processed, dead } = run.totals;
  const what = `run ${run.runId} is ${run.status}`;
  return {
    subject: `firehose-backfill ${stageName()}: ${what}`.slice(0, 100),
    message: [
      `The ${what}${run.reason === null ? "." : `: ${run.reason}`}`,
      `Host ${run.source.host}: ${received} events received, ${processed} processed, ${dead} dead.`,
      "firehose-backfill status --function NAME shows more.",
    ].join("\n"),
  };
}
