/** Begins the runs of one start: with BACKFILL_SOURCE=both there are two, and with BACKFILL_HANDLES=true one more. */
import { NameTakenError, RunInProgressError, TooManyRunsError } from "@firehose-backfill/checkpoint/errors";
import { isSideRun, type NewRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import type { StartPoint } from "@firehose-backfill/source/points";
import { newRun, newRunId } from "./new-run.ts";
import { configsOf } from "./repos-run.ts";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";

type Deps = { readonly store: Pick<RunStore, "createRun"> };

/** What a configuration begins by itself: a run, two with BACKFILL_SOURCE=both, none with 0 days. `start`: of a relay's run. @throws UsageError */
export function configuredRuns(
  config: Config,
  options: {
    readonly nowMs: number;
    readonly random: () => number;
    readonly database?: DatabaseIdentity | undefined;
    readonly start?: StartPoint;
  },
): readonly NewRun[] {
  const { nowMs, random, database, start } = options;
  if (config.settings.days === 0) return [];
  return configsOf(config).map((each) =>
    newRun(each, {
      runId: newRunId(nowMs, random),
      nowMs,
      database,
      ...(start === undefined || each.settings.source !== "relay" ? {} : { start }),
    }),
  );
}

export interface Beside {
  readonly runs: readonly Run[];
  /** What became of each, for a person; empty: there are none. */
  readonly note: string;
}

/** The first one must begin. */
export async function createRuns(
  deps: Deps,
  [first, ...others]: readonly NewRun[],
): Promise<{ readonly run: Run; readonly beside: Beside }> {
  if (first === undefined) throw new Error("a start without a run");
  const run = await deps.store.createRun(first);
  return { run, beside: await createBeside(deps, others) };
}

/** One that the store does not take is said, and can be begun later. */
export async function createBeside({ store }: Deps, others: readonly NewRun[]): Promise<Beside> {
  const runs: Run[] = [];
  let note = "";
  for (const other of others) {
    try {
      const created = await store.createRun(other);
      runs.push(created);
      note += `; run ${created.runId}, on ${created.source.host}, is ${created.status}`;
    } catch (error) {
      if (!(error instanceof Error) || !REFUSALS.has(error.name)) throw error;
      // One run looks up the handles for all.
      if (other.source.kind === "handles" && error.name === "RunInProgressError") continue;
      note += `; the run on ${other.source.host} could not begin beside it: ${error.message}. Start it later with --source ${other.source.kind}`;
    }
  }
  return { runs, note };
}

/** What somebody asks for. Where the first one is open already and the other is not, an earlier start was cut short: this one completes it. @throws UsageError */
export async function startRuns(
  deps: { readonly store: Pick<RunStore, "createRun" | "getRun"> },
  first: NewRun,
  others: readonly NewRun[],
): Promise<{ readonly created: Run; readonly also: Beside }> {
  try {
    const created = await create(deps, first);
    return { created, also: await createBeside(deps, others) };
  } catch (error) {
    if (!(error instanceof UsageError) || !(error.cause instanceof RunInProgressError)) throw error;
    const also = await createBeside(deps, others);
    const created = await deps.store.getRun(error.cause.runId);
    if (also.runs.length === 0 || created === null) throw error;
    return { created, also };
  }
}

/** @throws UsageError where it may not begin */
async function create(deps: { readonly store: Pick<RunStore, "createRun" | "getRun"> }, run: NewRun): Promise<Run> {
  try {
    return await deps.store.createRun(run);
  } catch (error) {
    throw await refused(deps, error);
  }
}

/** With words for the operator, if it is a refusal; any other error stays as it is. */
async function refused({ store }: { readonly store: Pick<RunStore, "getRun"> }, error: unknown): Promise<unknown> {
  if (error instanceof TooManyRunsError || error instanceof NameTakenError) return new UsageError(error.message);
  if (!(error instanceof RunInProgressError)) return error;
  const same = await store.getRun(error.runId);
  return new UsageError(
    `run ${error.runId} is ${same?.status ?? "open"}: one run at a time for the same source, filters and range. Cancel it first, or start with --new (which cancels it)`,
    { cause: error },
  );
}

/** For a dry run: why the first run of a start would be refused. `replaced`: what `--new` would cancel before. null: it would begin. */
export async function whyNotNow(
  deps: { readonly store: Pick<RunStore, "refusalOf" | "getRun"> },
  run: NewRun,
  replaced: Run | null,
): Promise<string | null> {
  const refusal = await deps.store.refusalOf(run, { without: replaced?.runId });
  return refusal === null ? null : describeRefusal(await refused(deps, refusal));
}

function describeRefusal(error: unknown): string {
  return error instanceof UsageError ? error.message : describeError(error);
}

/**
 * Begins the second run of BACKFILL_SOURCE=both where the only run there has ever been is its first half: a process ended between the two, or
 * the setting came after the run, as with BACKFILL_HANDLES. What is open goes on, whatever the settings of a new run are: it never rejects.
 * `wanted`: what the deployment would begin. Empty: nothing is missing, or it could not begin, and that is said.
 */
export async function createMissing(
  deps: { readonly store: Pick<RunStore, "createRun" | "pastRuns">; readonly log: (line: string) => void },
  open: readonly Run[],
  wanted: () => readonly NewRun[],
): Promise<readonly Run[]> {
  try {
    const others = await missingBeside(deps.store, open, wanted);
    if (others.length === 0) return [];
    const { runs, note } = await createBeside(deps, others);
    if (runs.length > 0) deps.log(`[BACKFILL] BACKFILL_SOURCE=both lacked its second run, which begins now${note}`);
    return runs;
  } catch (error) {
    deps.log(`[BACKFILL] No other run could begin: ${describeError(error)}`);
    return [];
  }
}

async function missingBeside(
  store: Pick<RunStore, "pastRuns">,
  open: readonly Run[],
  wanted: () => readonly NewRun[],
): Promise<readonly NewRun[]> {
  const [begun, ...more] = open.filter((run) => !isSideRun(run));
  if (begun === undefined || more.length > 0) return [];
  const [first, ...rest] = wanted();
  const others = rest.filter(({ source }) => source.kind !== "handles");
  if (first === undefined || others.length === 0) return [];
  const isSame = begun.source.kind === first.source.kind && begun.source.host === first.source.host;
  // Another source, or one that somebody asked for, is a run of its own.
  if (!isSame || wayOf(begun) !== wayOf(first)) return [];
  // A run that has ended may have been the other one.
  return (await store.pastRuns({ limit: LAST_RUNS })).some((run) => !isSideRun(run)) ? [] : others;
}

/** Without the setting, a deployment reads a relay, as if it were set. */
function wayOf({ sources }: Pick<NewRun, "sources">): string | undefined {
  return sources.source === "default" ? "environment" : sources.source;
}

const LAST_RUNS = 20;

const REFUSALS: ReadonlySet<string> = new Set(["RunInProgressError", "TooManyRunsError", "NameTakenError"]);
