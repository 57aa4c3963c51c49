/**
 * Decides what a start does: it begins new runs, as configured or after the last one, or it goes on with those that are open (go-on.ts).
 */
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { isSameScope, newRun, newRunId } from "@firehose-backfill/backfill/new-run";
import {
  type Beside,
  configuredRuns,
  createBeside,
  createMissing,
  createRuns,
} from "@firehose-backfill/backfill/create-runs";
import { configsOf } from "@firehose-backfill/backfill/repos-run";
import { labelOf } from "@firehose-backfill/backfill/open-run";
import { recordAction } from "@firehose-backfill/backfill/record-action";
import { isResyncRun, isSideRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { StartPoint } from "@firehose-backfill/source/points";
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";
import { capital, goOnAll, resumeOne, STARTED_BY } from "./go-on.ts";
import { readsRelay } from "./start-stack.ts";

export type Begun =
  /** `beside`: the other open runs, which this process continues, too. */
  | { readonly kind: "new" | "resumed"; readonly run: Run; readonly beside: readonly Run[] }
  /** There is nothing to do. `because` says why, and how to begin again. */
  | { readonly kind: "none"; readonly run: Run | null; readonly because: string };

/** @throws ConfigError if the scope is not the run's; UsageError if a start request is refused */
export async function beginRun(
  deps: ControlDeps,
  options: {
    readonly config: Config;
    readonly start: StartRequest | null;
    /** If it is given, the unfinished run continues from there, and no run is begun. `run` says which one if several are open. */
    readonly resume?: { readonly from: string | null; readonly run?: string };
    readonly log: (line: string) => void;
  },
): Promise<Begun> {
  const { config, log } = options;
  const open = await deps.store.openRuns();
  const database = await deps.database?.();
  const beside = async (run: Run) => (await deps.store.openRuns()).filter(({ runId }) => runId !== run.runId);
  const newRuns = (start: { readonly start?: StartPoint }) =>
    configuredRuns(config, { nowMs: deps.clock.now(), random: deps.random, database, ...start });
  if (options.start !== null) {
    const { run } = await control(deps, { action: "start", start: options.start }, "command");
    return run === null
      ? { kind: "none", run, because: "nothing was started" }
      : { kind: "new", run, beside: await beside(run) };
  }
  if (database !== undefined)
    for (const each of open) {
      refuseOtherDatabase(each, database);
      // An older program did not bind its runs to a database. Such a run is bound to the database with which it continues.
      if (each.database === null) await deps.store.bindDatabase(each.runId, database);
    }
  if (options.resume !== undefined) {
    const run = await resumeOne(deps, open, options.resume, options);
    return { kind: "resumed", run, beside: await beside(run) };
  }
  if (open.some((run) => !isResyncRun(run))) {
    const goingOn = await goOnAll(deps, open, config, log);
    const [run] = goingOn;
    if (run !== undefined && !isBesideWanted(config, goingOn)) {
      const added = await beginHandles(deps, { config, open: goingOn, database });
      if (added.note !== "") log(`[BACKFILL] ${capital(labelOf(run))} goes on${added.note}`);
      const missing = await createMissing({ store: deps.store, log }, open, () => newRuns({}));
      return { kind: "resumed", run, beside: [...goingOn.slice(1), ...added.runs, ...missing] };
    }
  }
  const last = await lastOfSource(deps);
  /** Only runs that look up handles go on, and there is nothing to begin beside them. */
  const none = async (because: string): Promise<Begun> => {
    const [run, ...others] = (await deps.store.openRuns()).filter((each) => !isResyncRun(each));
    return run === undefined ? { kind: "none", run: last, because } : { kind: "resumed", run, beside: others };
  };
  if (config.settings.days === 0) return await none("BACKFILL_DAYS is 0: nothing to run");
  const after = await afterLast(deps, last, { config, database });
  if (after !== null && after.host === SAMPLE_HOST) {
    const because = `nothing to do: run ${after.runId} has applied the whole bundled sample. To replay it again: firehose-backfill start --new, or another BACKFILL_DATA_DIR`;
    return await none(because);
  }
  const start = after === null ? {} : { start: { kind: "seq", seq: after.seq } as const };
  const { run, beside: others } = await createRuns(deps, newRuns(start));
  for (const { runId } of [run, ...others.runs])
    await recordAction(deps, runId, { what: "start", by: STARTED_BY, detail: "" });
  if (others.note !== "") log(`[BACKFILL] Run ${run.runId} is ${run.status}${others.note}`);
  if (after !== null)
    log(
      `[BACKFILL] Run ${run.runId} goes on where run ${after.runId} ended, after sequence number ${after.seq}. To copy its days again: firehose-backfill start --new`,
    );
  return { kind: "new", run, beside: await beside(run) };
}

/** Runs that only look up handles or serve resyncs do not stand in the way of what is configured. */
function isBesideWanted({ settings }: Config, open: readonly Run[]): boolean {
  return settings.source !== "handles" && open.every(isSideRun);
}

/** Where the setting came after the run. */
async function beginHandles(
  deps: ControlDeps,
  options: {
    readonly config: Config;
    readonly open: readonly Run[];
    readonly database: DatabaseIdentity | undefined;
  },
): Promise<Beside> {
  const { config, open, database } = options;
  const isWanted = config.settings.handles && !open.some(({ source }) => source.kind === "handles");
  const wanted = isWanted ? configsOf(config).filter(({ settings }) => settings.source === "handles") : [];
  const nowMs = deps.clock.now();
  const added = await createBeside(
    deps,
    wanted.map((each) => newRun(each, { runId: newRunId(nowMs, deps.random), nowMs, database })),
  );
  for (const { runId } of added.runs) await recordAction(deps, runId, { what: "start", by: STARTED_BY, detail: "" });
  return added;
}

/** The last run that is not a side run: a start goes on after it. */
async function lastOfSource({ store }: ControlDeps): Promise<Run | null> {
  const last = await store.currentRun();
  if (last === null || !isSideRun(last)) return last;
  const past = await store.pastRuns({ limit: LAST_RUNS });
  return past.find((run) => !isSideRun(run)) ?? last;
}

const LAST_RUNS = 20;

/**
 * Where a start without further arguments continues: after the last run, if that run succeeded and had the same source and
 * scope. A restart must not copy the same days again; `start` and `start --new` do so. null: the run begins as configured.
 */
async function afterLast(
  deps: ControlDeps,
  last: Run | null,
  { config, database }: { readonly config: Config; readonly database: DatabaseIdentity | undefined },
): Promise<{ readonly runId: string; readonly host: string; readonly seq: number } | null> {
  if (last === null || last.status !== "succeeded") return null;
  // A run of another database does not count.
  if (database !== undefined && last.database !== null && last.database.id !== database.id) return null;
  const end = last.target ?? last.appliedCursor;
  const scope = await deps.store.getScope(last.runId);
  // Repositories have no position after which only new records come.
  if (end === null || scope === null || last.source.kind !== "relay" || !isSameScope(scope, config)) return null;
  return { runId: last.runId, host: last.source.host, seq: end.ordinal };
}

/**
 * Called before the database is used. The sample is applied to a user's own database only if the user asked for it. An
 * unfinished run continues with its own host, so the check does not apply to it.
 * @throws ConfigError
 */
export async function refuseUnwishedSample(
  deps: Pick<ControlDeps, "store">,
  { config, start }: { readonly config: Config; readonly start: StartRequest | null },
): Promise<void> {
  const problem = unwishedSample(config);
  if (problem === null || !readsRelay(start?.source ?? config.settings.source)) return;
  if (start === null && (await deps.store.openRuns()).length > 0) return;
  throw new ConfigError([problem]);
}
