/**
 * Discards dead events that nobody wants to apply any more: their rows go. The counts of their run stay, because the events
 * were dead. A tombstone that was kept for such an event may be removed from then on, because nothing can bring it back.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import { UsageError } from "@firehose-backfill/core/errors";
import type { DeadEvents, DeadFilter } from "@firehose-backfill/sink/dead-events";
import { type DiscardWhich, isRunId } from "./control-event.ts";
import { NO_DATABASE } from "./redrive.ts";

export interface DiscardDeps {
  readonly store: Pick<RunStore, "currentRun" | "getRun" | "findRun">;
  /** Absent: there is no database. */
  readonly openDeadEvents?: () => DeadEvents;
}

export interface Discarded {
  /** One sentence for the operator. */
  readonly message: string;
  /** Of the events; where they are of several, or none is known: the current one. */
  readonly run: Run | null;
  /** Those of these runs that are still known. */
  readonly about: readonly string[];
  /** How many of each run are gone. */
  readonly discarded: Readonly<Record<string, number>>;
}

/** @throws UsageError: nothing was discarded, and why; SinkError, TableError */
export async function discardAndSay(deps: DiscardDeps, which: DiscardWhich): Promise<Discarded> {
  if (deps.openDeadEvents === undefined) throw new UsageError(NO_DATABASE);
  const filter = await filterOf(deps, which);
  await using dead = deps.openDeadEvents();
  const discarded = await dead.discard(filter);
  const runIds = Object.keys(discarded);
  const count = Object.values(discarded).reduce((sum, each) => sum + each, 0);
  if (count === 0) throw new UsageError(await whyNone(dead, filter));
  const [only] = runIds;
  const run = only === undefined || runIds.length > 1 ? null : await deps.store.getRun(only);
  const what = count === 1 ? "1 dead event is" : `${count} dead events are`;
  const of = runIds.length === 1 ? `run ${only}` : `${runIds.length} runs`;
  return {
    message: `${what} discarded, of ${of}; the counts of the run stay, because the events were dead`,
    run: run ?? (await deps.store.currentRun()),
    discarded,
    about: await known(deps, runIds),
  };
}

/** Rows of runs that the table has forgotten may be there for years. */
async function known({ store }: DiscardDeps, runIds: readonly string[]): Promise<readonly string[]> {
  const runs = await Promise.all(runIds.slice(0, MOST_LOOKED_FOR).map((runId) => store.getRun(runId)));
  return runs.filter((run) => run !== null).map(({ runId }) => runId);
}

const MOST_LOOKED_FOR = 20;

async function filterOf({ store }: DiscardDeps, which: DiscardWhich): Promise<DeadFilter> {
  if ("id" in which) return { id: which.id };
  const reason = "reason" in which ? { reason: which.reason } : {};
  if (which.run === undefined) return reason;
  const runId = (await store.findRun(which.run))?.runId ?? (isRunId(which.run) ? which.run : null);
  if (runId === null) throw new UsageError(`no run has the id or the name ${which.run}`);
  return { ...reason, runId };
}

async function whyNone(dead: DeadEvents, { id, reason, runId }: DeadFilter): Promise<string> {
  const of = runId === undefined ? "" : ` of run ${runId}`;
  if (id === undefined)
    return `nothing was discarded: no dead event${of} ${reason === undefined ? "is there" : `has the reason ${reason}`}`;
  const [kept] = await dead.list({ id, limit: 1, withApplied: true, maxEventBytes: 0 });
  if (kept === undefined) return `no dead event has the id ${id}`;
  if (kept.appliedAt !== null) return `dead event ${id} was applied at ${kept.appliedAt}: there is nothing to discard`;
  return `dead event ${id} is being applied at this moment: look at it again, and discard it if it is still dead`;
}
