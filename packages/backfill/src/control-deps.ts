/** What steering a run takes, and what it answers. */
import type { LedgerStore } from "@firehose-backfill/checkpoint/ledger-store";
import type { PaceStore } from "@firehose-backfill/checkpoint/pace-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { StartRequest } from "./control-event.ts";
import type { DeployedLimits } from "./deps.ts";
import type { Plan } from "./plan/types.ts";
import type { RedriveDeps } from "./redrive.ts";
import type { StartConfigDeps } from "./start-config.ts";

export interface ControlDeps extends RedriveDeps, StartConfigDeps {
  readonly store: RunStore & PaceStore & WindowStore & LedgerStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** null: nothing is fixed (local). */
  readonly limits: DeployedLimits | null;
  /** The reader is at hand: what is void after an action is planned again at once. Else it comes with the next tick. */
  readonly readsAtOnce?: boolean;
  /** Why a limit of memory would make the run stand still; left out where nobody knows. */
  readonly limitProblem?: (limitMb: number, runId: string) => string | null | Promise<string | null>;
  /** Where events are applied: a new run is bound to it, and a run of another one is not resumed. Left out: not known here. */
  readonly database?: () => Promise<DatabaseIdentity>;
  /** Looks at the relay; left out where it cannot be reached. */
  readonly plan?: (config: Config, request: StartRequest) => Promise<Plan>;
}

export interface ControlAnswer {
  /** One sentence for the operator. */
  readonly message: string;
  readonly run: Run | null;
  /** Of a `plan`: all of what the message sums up. */
  readonly plan?: Plan;
}
