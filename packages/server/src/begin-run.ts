/**
 * What a start means for what is there: a new run, or the unfinished one goes on. Throttle settings that were given anew
 * since the run last looked apply to it as a tune; scope settings that differ stop the start, because a run cannot become another one.
 */
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { followGiven, givenSettings, isSameGiven } from "@firehose-backfill/backfill/given-settings";
import { isSameScope, resumedSources, scopeConflicts, throttleChanges } from "@firehose-backfill/backfill/new-run";
import { configuredRuns, createMissing, createRuns } from "@firehose-backfill/backfill/create-runs";
import { chooseRun, labelOf } from "@firehose-backfill/backfill/open-run";
import { recordAction } from "@firehose-backfill/backfill/record-action";
import { ownThrottle, withOwn } from "@firehose-backfill/backfill/off-peak";
import { wakePlanned } from "@firehose-backfill/backfill/wake-planned";
import { needsNewStart } from "@firehose-backfill/source/verdict";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { StartPoint } from "@firehose-backfill/source/points";
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { settingName, SETTINGS } from "@firehose-backfill/core/config/definitions";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";

export type Begun =
  /** `beside`: the other open runs, which go on here as well. */
  | { readonly kind: "new" | "resumed"; readonly run: Run; readonly beside: readonly Run[] }
  /** There is nothing to do. `because`: why, and how to begin anew. */
  | { readonly kind: "none"; readonly run: Run | null; readonly because: string };

/** @throws ConfigError for a scope that is not the run's; UsageError for a start request that is refused */
export async function beginRun(
  deps: ControlDeps,
  options: {
    readonly config: Config;
    readonly start: StartRequest | null;
    /** Given: the unfinished run goes on, from there; no run is begun. `run`: which one, where several are open. */
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
      // A run from before runs were bound belongs to the database that it goes on with.
      if (each.database === null) await deps.store.bindDatabase(each.runId, database);
    }
  if (options.resume !== undefined) {
    const run = await resume(deps, open, options.resume, options);
    return { kind: "resumed", run, beside: await beside(run) };
  }
  if (open.length > 0) {
    const [run = null, ...others] = await goOnAll(deps, open, config, log);
    const missing = await createMissing(deps, open, () => newRuns({}));
    if (missing !== null) log(`[BACKFILL] A start that was cut short is completed${missing.note}`);
    if (run !== null) return { kind: "resumed", run, beside: [...others, ...(missing?.runs ?? [])] };
  }
  const last = await deps.store.currentRun();
  if (config.settings.days === 0) return { kind: "none", run: last, because: "BACKFILL_DAYS is 0: nothing to run" };
  const after = await afterLast(deps, last, { config, database });
  if (after !== null && after.host === SAMPLE_HOST) {
    const because = `nothing to do: run ${after.runId} has applied the whole bundled sample. To replay it again: firehose-backfill start --new, or another BACKFILL_DATA_DIR`;
    return { kind: "none", run: last, because };
  }
  const start = after === null ? {} : { start: { kind: "seq", seq: after.seq } as const };
  const { run, beside: others } = await createRuns(deps, newRuns(start));
  for (const { runId } of [run, ...others.runs]) await recordAction(deps, runId, { what: "start", by: BY, detail: "" });
  if (others.note !== "") log(`[BACKFILL] Run ${run.runId} is ${run.status}${others.note}`);
  if (after !== null)
    log(
      `[BACKFILL] Run ${run.runId} goes on where run ${after.runId} ended, after sequence number ${after.seq}. To copy its days again: firehose-backfill start --new`,
    );
  return { kind: "new", run, beside: others.runs };
}

const BY = "start of the program";

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
  if (start === null && (await deps.store.openRuns()).length > 0) return;
  throw new ConfigError([problem]);
}

/** @throws UsageError where there is nothing to resume, ChooseRunError where it is not said which of several */
async function resume(
  deps: ControlDeps,
  open: readonly Run[],
  wanted: { readonly from: string | null; readonly run?: string },
  options: { readonly config: Config; readonly log: (line: string) => void },
): Promise<Run> {
  if (open.length === 0) throw new UsageError(NOTHING_TO_RESUME);
  const { config, log } = options;
  const chosen = await chooseRun(deps, "resume", wanted.run);
  const tuned = await goOnAsItIs(deps, chosen, config, log, { isOnly: open.length === 1 });
  // A run that was not stopped only needs its process. Only a stopped run can go on from another cursor.
  if (tuned.status !== "paused" && tuned.status !== "errored" && tuned.status !== "pausing" && wanted.from === null)
    return tuned;
  return (await control(deps, { action: "resume", from: wanted.from, run: chosen.runId }, "command")).run ?? tuned;
}

const NOTHING_TO_RESUME =
  "there is no unfinished run to resume: begin one with firehose-backfill run, or firehose-backfill start";

/** Each in its state. With several open runs the settings of this start are those of their pace alone: their scopes differ anyway. */
async function goOnAll(
  deps: ControlDeps,
  open: readonly Run[],
  config: Config,
  log: (line: string) => void,
): Promise<readonly Run[]> {
  const isOnly = open.length === 1;
  const runs: Run[] = [];
  for (const { runId } of open) {
    // What was set for the run before holds for this one as well, if they have one pace.
    const run = await deps.store.getRun(runId);
    if (run !== null) runs.push(await goOn(deps, await goOnAsItIs(deps, run, config, log, { isOnly }), log));
  }
  return runs;
}

async function goOn(deps: ControlDeps, run: Run, log: (line: string) => void): Promise<Run> {
  if (run.status === "errored") {
    log(`[BACKFILL] ${capital(labelOf(run))} was errored: ${run.reason ?? "no reason known"}. It continues now`);
    return (await control(deps, { action: "resume", from: null, run: run.runId }, BY)).run ?? run;
  }
  if (run.status === "paused") {
    const how = needsNewStart(run.reason)
      ? "firehose-backfill resume --from oldest|live|SEQ|TIME"
      : "firehose-backfill resume";
    log(`[BACKFILL] ${capital(labelOf(run))} is paused (${run.reason ?? "by the operator"}). To continue: ${how}`);
  }
  return run;
}

/** In its state, with the settings of this start. @throws ConfigError */
async function goOnAsItIs(
  deps: ControlDeps,
  open: Run,
  config: Config,
  log: (line: string) => void,
  { isOnly }: { readonly isOnly: boolean },
): Promise<Run> {
  const scope = isOnly ? await deps.store.getScope(open.runId) : null;
  const conflicts = scope === null ? [] : scopeConflicts(scope, config);
  if (conflicts.length > 0) {
    throw new ConfigError(
      conflicts.map(({ key, ofRun, given }) => {
        const name = SETTINGS.find((setting) => setting.key === key)?.name ?? key;
        return `${name} is ${given}, but run ${open.runId} is not finished and has ${ofRun}: unset ${name} to continue it, or begin a new run with "start --new", which cancels it, or another run beside it with "start"`;
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

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
