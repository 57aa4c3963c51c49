/** The receiver of control events: the process on this machine, or a deployed function. Commands do not know which. */
import type { ListedResyncs } from "@firehose-backfill/backfill/list-resyncs";
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import type { History } from "@firehose-backfill/status/history";
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

/** The event that packages/backfill/src/control-event.ts parses; the Lambda console can send it, too. */
export type ControlEvent = { readonly action: string } & Readonly<Record<string, unknown>>;

export type ControlReply =
  | {
      readonly ok: true;
      readonly message: string;
      /** The result of `plan`. */
      readonly plan?: Plan;
      /** The result of `resyncs`. */
      readonly resyncs?: ListedResyncs;
    }
  /** `isMalformed`: the event itself is wrong, whatever the run's state is. */
  | { readonly ok: false; readonly error: string; readonly isMalformed: boolean };

export interface ControlTarget {
  /** For messages: `http://127.0.0.1:8787`, `function NAME`. */
  readonly address: string;
  /** @throws CommandError if the target cannot be reached */
  send(event: ControlEvent): Promise<ControlReply>;
  /** `run`: the id or the name of a run; left out: the one that began last. @throws CommandError if the target cannot be reached; UsageError if there is no such run */
  snapshot(run?: string): Promise<Snapshot>;
  /** Of each open run; if none is open, of the last one. @throws CommandError if the target cannot be reached */
  snapshots(): Promise<readonly Snapshot[]>;
  /** The runs that are over, newest first; empty if the target is of a version that knows one run. @throws CommandError if the target cannot be reached */
  past(): Promise<readonly RunSummary[]>;
  /** The history of the run. null: the target stores none. @throws CommandError if the target cannot be reached */
  history(run?: string): Promise<History | null>;
}
