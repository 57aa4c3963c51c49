/**
 * What a start means for what is there: a new run, or the unfinished one goes on. Throttle settings that were given anew
 * since the run last looked apply to it as a tune; scope settings that differ stop the start, because a run cannot become another one.
 */
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { followGiven, givenSettings, isSameGiven } from "@firehose-backfill/backfill/given-settings";
import {
  isSameScope,
  newRun,
  newRunId,
  resumedSources,
  scopeConflicts,
  throttleChanges,
} from "@firehose-backfill/backfill/new-run";
import { createRuns } from "@firehose-backfill/backfill/create-runs";
import { openRun } from "@firehose-backfill/backfill/open-run";
import { configsOf } from "@firehose-backfill/backfill/repos-run";
import { ownThrottle, withOwn } from "@firehose-backfill/backfill/off-peak";
import { wakePlanned } from "@firehose-backfill/backfill/wake-planned";
import { needsNewStart } from "@firehose-backfill/source/verdict";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { settingName, SETTINGS } from "@firehose-backfill/core/config/definitions";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";

export type Begun =
  | { readonly kind: "new" | "resumed"; readonly run: Run }
  /** There is nothing to do. `because`: why, and how to begin anew. */
  | { readonly kind: "none"; readonly run: Run | null; readonly because: string };

/** @throws ConfigError for a scope that is not the run's; UsageError for a start request that is refused */
export async function beginRun(
  deps: ControlDeps,
  options: {
    readonly config: Config;
    readonly start: StartRequest | null;
    /** Given: the unfinished run goes on, from there; no run is begun. */
    readonly resume?: { readonly from: string | null };
    readonly log: (line: string) => void;
  },
): Promise<Begun> {
  const { config, log } = options;
  const open = await openRun(deps);
  const database = await deps.database?.();
  if (options.start !== null) {
    const { run } = await control(deps, { action: "start", start: options.start });
    return run === null ? { kind: "none", run, because: "nothing was started" } : { kind: "new", run };
  }
  if (open !== null && database !== undefined) {
    refuseOtherDatabase(open, database);
    // A run from before runs were bound belongs to the database that it goes on with.
    if (open.database === null) await deps.store.bindDatabase(open.runId, database);
  }
  if (options.resume !== undefined) return { kind: "resumed", run: await resume(deps, open, options.resume, options) };
  if (open !== null) return { kind: "resumed", run: await goOn(deps, open, config, log) };
  const last = await deps.store.currentRun();
  if (config.settings.days === 0) return { kind: "none", run: last, because: "BACKFILL_DAYS is 0: nothing to run" };
  const after = await afterLast(deps, last, { config, database });
  if (after !== null && after.host === SAMPLE_HOST) {
    const because = `nothing to do: run ${after.runId} has applied the whole bundled sample. To replay it again: firehose-backfill start --new, or another BACKFILL_DATA_DIR`;
    return { kind: "none", run: last, because };
  }
  const nowMs = deps.clock.now();
  const start = after === null ? {} : { start: { kind: "seq", seq: after.seq } as const };
  const runs = configsOf(config).map((each) =>
    newRun(each, {
      runId: newRunId(nowMs, deps.random),
      nowMs,
      database,
      ...(each.settings.source === "repos" ? {} : start),
    }),
  );
  const { run, note } = await createRuns(deps, runs);
  if (note !== "") log(`[BACKFILL] Run ${run.runId} is ${run.status}${note}`);
  if (after !== null)
    log(
      `[BACKFILL] Run ${run.runId} goes on where run ${after.runId} ended, after sequence number ${after.seq}. To copy its days again: firehose-backfill start --new`,
    );
  return { kind: "new", run };
}

/** The recording has an end, and nothing comes after it. */
const SAMPLE_HOST = "sample";

/**
 * Where a plain start goes on: after the last run, if that has succeeded and was about the same. A restart must not
 * copy the same days again; `start` and `start --new` do. null: what is configured is begun.
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
  // Repositories have no place after which only what is new comes.
  if (end === null || scope === null || last.source.kind !== "relay" || !isSameScope(scope, config)) return null;
  return { runId: last.runId, host: last.source.host, seq: end.ordinal };
}

/**
 * Before the database is touched: the sample goes into somebody's database only when it was asked for. An unfinished run
 * goes on with the host that it was begun with, and needs no wish.
 * @throws ConfigError
 */
export async function refuseUnwishedSample(
  deps: Pick<ControlDeps, "store">,
  { config, start }: { readonly config: Config; readonly start: StartRequest | null },
): Promise<void> {
  const problem = unwishedSample(config);
  if (problem === null || (start?.source ?? config.settings.source) === "repos") return;
  if (start === null && (await openRun(deps)) !== null) return;
  throw new ConfigError([problem]);
}

/** @throws UsageError where there is nothing to resume */
async function resume(
  deps: ControlDeps,
  open: Run | null,
  wanted: { readonly from: string | null },
  options: { readonly config: Config; readonly log: (line: string) => void },
): Promise<Run> {
  if (open === null) throw new UsageError(NOTHING_TO_RESUME);
  const { config, log } = options;
  const tuned = await goOnAsItIs(deps, open, config, log);
  // A run that was not stopped only needs its process. Only a stopped run can go on from another cursor.
  if (tuned.status !== "paused" && tuned.status !== "errored" && tuned.status !== "pausing" && wanted.from === null)
    return tuned;
  return (await control(deps, { action: "resume", from: wanted.from })).run ?? tuned;
}

const NOTHING_TO_RESUME =
  "there is no unfinished run to resume: begin one with firehose-backfill run, or firehose-backfill start";

async function goOn(deps: ControlDeps, open: Run, config: Config, log: (line: string) => void): Promise<Run> {
  const run = await goOnAsItIs(deps, open, config, log);
  if (run.status === "errored") {
    log(`[BACKFILL] Run ${run.runId} was errored: ${run.reason ?? "no reason known"}. It continues now`);
    return (await control(deps, { action: "resume", from: null })).run ?? run;
  }
  if (run.status === "paused") {
    const how = needsNewStart(run.reason)
      ? "firehose-backfill resume --from oldest|live|SEQ|TIME"
      : "firehose-backfill resume";
    log(`[BACKFILL] Run ${run.runId} is paused (${run.reason ?? "by the operator"}). To continue: ${how}`);
  }
  return run;
}

/** In its state, with the settings of this start. @throws ConfigError */
async function goOnAsItIs(deps: ControlDeps, open: Run, config: Config, log: (line: string) => void): Promise<Run> {
  const scope = await deps.store.getScope(open.runId);
  const conflicts = scope === null ? [] : scopeConflicts(scope, config);
  if (conflicts.length > 0) {
    throw new ConfigError(
      conflicts.map(({ key, ofRun, given }) => {
        const name = SETTINGS.find((setting) => setting.key === key)?.name ?? key;
        return `${name} is ${given}, but run ${open.runId} is not finished and has ${ofRun}: unset ${name} to continue it, or begin a new run with "start --new", which cancels it`;
      }),
    );
  }
  let run = open;
  const own = ownThrottle(run);
  const given = givenSettings(config);
  const ownSources = { ...run.sources, ...run.offPeak?.ownSources };
  const wanted = followGiven({ ...own, sources: ownSources, seen: run.seen }, given);
  if (wanted !== null) {
    const nowMs = deps.clock.now();
    const changes = throttleChanges(own.throttle, wanted.throttle);
    const sources = resumedSources(config, Object.keys(changes));
    const record = { atMs: nowMs, by: "resume" as const, changes };
    const tuned = await deps.store.tune(run.runId, { ...withOwn(run, wanted, sources), seen: given, record, nowMs });
    if (tuned !== null) run = await wakePlanned(deps, run, tuned);
    log(
      `[BACKFILL] Run ${run.runId} tuned: ${Object.entries(changes)
        .map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`)
        .join(", ")}`,
    );
  } else if (!isSameGiven(run.seen, given)) {
    await deps.store.noteSeen(run.paceId, given);
    run = { ...run, seen: given };
  }
  return run;
}
