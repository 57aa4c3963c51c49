/**
 * What a start means for what is there: a new run, or the unfinished one goes on. Throttle settings that were given anew
 * since the run last looked apply to it as a tune; scope settings that differ stop the start, because a run cannot become another one.
 */
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import { control, type ControlDeps } from "@firehose-backfill/backfill/control";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { followGiven, givenSettings, isSameGiven } from "@firehose-backfill/backfill/given-settings";
import { newRun, newRunId, scopeConflicts, throttleChanges } from "@firehose-backfill/backfill/new-run";
import { ownThrottle, withOwn } from "@firehose-backfill/backfill/off-peak";
import { wakePlanned } from "@firehose-backfill/backfill/wake-planned";
import { needsNewPosition } from "@firehose-backfill/backfill/window-end";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import { settingName, SETTINGS } from "@firehose-backfill/core/config/definitions";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";

export type Begun =
  | { readonly kind: "new" | "resumed"; readonly run: Run }
  /** BACKFILL_DAYS is 0, and nothing is unfinished. */
  | { readonly kind: "none"; readonly run: Run | null };

/** @throws ConfigError for a scope that is not the run's; UsageError for a start request that is refused */
export async function beginRun(
  deps: ControlDeps,
  options: { readonly config: Config; readonly start: StartRequest | null; readonly log: (line: string) => void },
): Promise<Begun> {
  const { config, log } = options;
  const open = await openRun(deps);
  const database = await deps.database?.();
  if (options.start !== null) {
    const { run } = await control(deps, { action: "start", start: options.start });
    return run === null ? { kind: "none", run } : { kind: "new", run };
  }
  if (open !== null) {
    if (database !== undefined) refuseOtherDatabase(open, database);
    // A run from before runs were bound belongs to the database that it goes on with.
    if (database !== undefined && open.database === null) await deps.store.bindDatabase(open.runId, database);
    return { kind: "resumed", run: await goOn(deps, open, config, log) };
  }
  if (config.settings.days === 0) return { kind: "none", run: await deps.store.currentRun() };
  const nowMs = deps.clock.now();
  const run = await deps.store.createRun(newRun(config, { runId: newRunId(nowMs, deps.random), nowMs, database }));
  return { kind: "new", run };
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
  if (problem === null) return;
  if (start === null && (await openRun(deps)) !== null) return;
  throw new ConfigError([problem]);
}

async function goOn(deps: ControlDeps, open: Run, config: Config, log: (line: string) => void): Promise<Run> {
  const scope = await deps.store.getScope(open.runId);
  const conflicts = scope === null ? [] : scopeConflicts(scope, config);
  if (conflicts.length > 0) {
    throw new ConfigError(
      conflicts.map(({ key, ofRun, given }) => {
        const name = SETTINGS.find((setting) => setting.key === key)?.name ?? key;
        return `${name} is ${given}, but run ${open.runId} is not finished and has ${ofRun}: unset ${name} to go on with it, or begin anew with "start --new", which cancels it`;
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
    const sources = Object.fromEntries(Object.keys(changes).map((key) => [key, "environment" as const]));
    const record = { atMs: nowMs, by: "resume" as const, changes };
    const tuned = await deps.store.tune(run.runId, { ...withOwn(run, wanted, sources), seen: given, record, nowMs });
    if (tuned !== null) run = await wakePlanned(deps, run, tuned);
    log(
      `[BACKFILL] Run ${run.runId} tuned: ${Object.entries(changes)
        .map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`)
        .join(", ")}`,
    );
  } else if (!isSameGiven(run.seen, given)) {
    run = (await deps.store.transition(run.runId, [run.status], run.status, { seen: given })) ?? run;
  }
  if (run.status === "errored") {
    log(`[BACKFILL] Run ${run.runId} had stopped: ${run.reason ?? "no reason known"}. Trying again`);
    run = (await control(deps, { action: "resume", from: null })).run ?? run;
  } else if (run.status === "paused") {
    const how = needsNewPosition(run.reason)
      ? "firehose-backfill resume --from oldest|live|SEQ|TIME"
      : "firehose-backfill resume";
    log(`[BACKFILL] Run ${run.runId} is paused (${run.reason ?? "by the operator"}). To go on: ${how}`);
  }
  return run;
}

async function openRun(deps: Pick<ControlDeps, "store">): Promise<Run | null> {
  const run = await deps.store.currentRun();
  return run === null || run.finishedAtMs !== null ? null : run;
}
