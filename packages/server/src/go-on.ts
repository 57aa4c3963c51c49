/**
 * How a start goes on with the runs that are open: with the throttle settings that were given anew, and refused where a scope setting
 * differs from the run's, because the scope of a run cannot change.
 */
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import { control } from "@firehose-backfill/backfill/control";
import { followGiven, givenSettings, isSameGiven } from "@firehose-backfill/backfill/given-settings";
import { resumedSources, scopeConflicts, throttleChanges } from "@firehose-backfill/backfill/new-run";
import { ownThrottle, withOwn } from "@firehose-backfill/backfill/off-peak";
import { chooseRun, labelOf } from "@firehose-backfill/backfill/open-run";
import { wakePlanned } from "@firehose-backfill/backfill/wake-planned";
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import { isResyncRun, isSideRun, type Run } from "@firehose-backfill/checkpoint/run";
import { settingName, SETTINGS } from "@firehose-backfill/core/config/definitions";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";
import { needsNewStart } from "@firehose-backfill/source/verdict";

/** In the log of a run. */
export const STARTED_BY = "start of the program" satisfies Actor;

/** @throws UsageError if there is nothing to resume, ChooseRunError if several runs are open and none was named */
export async function resumeOne(
  deps: ControlDeps,
  open: readonly Run[],
  wanted: { readonly from: string | null; readonly run?: string },
  options: { readonly config: Config; readonly log: (line: string) => void },
): Promise<Run> {
  if (open.length === 0) throw new UsageError(NOTHING_TO_RESUME);
  const { config, log } = options;
  const chosen = await chooseRun(deps, "resume", wanted.run);
  const tuned = await goOnAsItIs(deps, chosen, config, log, { isOnly: isOnlyOwn(chosen, open) });
  // A run that was not stopped only needs a process. Only a stopped run can continue from another cursor.
  if (tuned.status !== "paused" && tuned.status !== "errored" && tuned.status !== "pausing" && wanted.from === null)
    return tuned;
  return (await control(deps, { action: "resume", from: wanted.from, run: chosen.runId }, "command")).run ?? tuned;
}

const NOTHING_TO_RESUME =
  "there is no unfinished run to resume: begin one with firehose-backfill run, or firehose-backfill start";

/**
 * Continues each open run in its state. With several open runs, only the throttle settings of this start are used, because the
 * runs have different scopes.
 */
export async function goOnAll(
  deps: ControlDeps,
  open: readonly Run[],
  config: Config,
  log: (line: string) => void,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const { runId } of open) {
    // If this run has the same pace as the one before, it already has that run's new settings.
    const run = await deps.store.getRun(runId);
    if (run === null) continue;
    const isOnly = isOnlyOwn(run, open);
    const goesOn = await goOn(deps, await goOnAsItIs(deps, run, config, log, { isOnly }), log);
    // The first one is what the process is said to go on with.
    if (isResyncRun(run)) runs.push(goesOn);
    else runs.splice(runs.findLastIndex((each) => !isResyncRun(each)) + 1, 0, goesOn);
  }
  return runs;
}

/** A resync or a run of handles has a scope of its own, and makes no second one of another. */
function isOnlyOwn(run: Run, open: readonly Run[]): boolean {
  return !isResyncRun(run) && open.every((each) => each.runId === run.runId || isSideRun(each));
}

async function goOn(deps: ControlDeps, run: Run, log: (line: string) => void): Promise<Run> {
  if (run.status === "errored") {
    log(`[BACKFILL] ${capital(labelOf(run))} was errored: ${run.reason ?? "no reason known"}. It continues now`);
    return (await control(deps, { action: "resume", from: null, run: run.runId }, STARTED_BY)).run ?? run;
  }
  if (run.status === "paused") {
    const how = needsNewStart(run.reason)
      ? "firehose-backfill resume --from oldest|live|SEQ|TIME"
      : "firehose-backfill resume";
    log(`[BACKFILL] ${capital(labelOf(run))} is paused (${run.reason ?? "by the operator"}). To continue: ${how}`);
  }
  return run;
}

/** Continues the run in its state with the settings of this start. @throws ConfigError */
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

/** As the beginning of a sentence. */
export function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
