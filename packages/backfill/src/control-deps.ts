/** The dependencies of control, and its answers. */
import type { LedgerStore } from "@firehose-backfill/checkpoint/ledger-store";
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { PaceStore } from "@firehose-backfill/checkpoint/pace-store";
import type { ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { StartRequest } from "./control-event.ts";
import type { DeployedLimits } from "./deps.ts";
import type { ListedResyncs } from "./list-resyncs.ts";
import type { Plan } from "./plan/types.ts";
import type { RedriveDeps } from "./redrive.ts";
import type { StartConfigDeps } from "./start-config.ts";

export interface ControlDeps extends RedriveDeps, StartConfigDeps {
  readonly store: RunStore &
    PaceStore &
    WindowStore &
    LedgerStore &
    ResyncStore &
    Pick<NoteStore, "addAction" | "putAudit">;
  readonly clock: Clock;
  readonly random: () => number;
  /** null: nothing is fixed (local). */
  readonly limits: DeployedLimits | null;
  /** The reader is in this process: batches that an action made void are planned again at once. Otherwise with the next tick. */
  readonly readsAtOnce?: boolean;
  /** Why a memory limit would stop the run; absent if this process cannot know. */
  readonly limitProblem?: (limitMb: number, runId: string) => string | null | Promise<string | null>;
  /** Where events are applied: a new run is bound to it, and a run of another database is not resumed. Absent: not known here. */
  readonly database?: () => Promise<DatabaseIdentity>;
  /** Surveys the relay; absent if it cannot be reached from here. */
  readonly plan?: (config: Config, request: StartRequest) => Promise<Plan>;
}

export interface ControlAnswer {
  /** One sentence for the operator. */
  readonly message: string;
  readonly run: Run | null;
  /** The runs that it is about, by id. Left out: `run`. */
  readonly about?: readonly string[];
  /** For `plan`: the full result, which the message summarises. */
  readonly plan?: Plan;
  /** For `resyncs`: all requests. */
  readonly resyncs?: ListedResyncs;
}
