/** The run as this environment last read it: use cases read it before each piece of work, so it need not be read again. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";

export interface LastRun {
  readonly store: CheckpointStore;
  /** null: it was not read yet. */
  readonly current: () => Run | null;
}

export function rememberRun(store: CheckpointStore): LastRun {
  let last: Run | null = null;
  const remember = (run: Run | null) => {
    last = run ?? last;
    return run;
  };
  return {
    store: {
      ...store,
      getRun: async (runId) => remember(await store.getRun(runId)),
      currentRun: async (options) => remember(await store.currentRun(options)),
    },
    current: () => last,
  };
}
