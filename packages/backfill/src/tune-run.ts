/**
 * An operator's tune: one conditional change of the pace, tried again where somebody else has changed it since it was
 * read. It acts within one batch, on all runs of that pace.
 */
import { isDeepStrictEqual } from "node:util";
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import type { Config, SettingKey } from "@firehose-backfill/core/config/settings";
import { settingName } from "@firehose-backfill/core/config/definitions";
import { parseTune, type Tune } from "@firehose-backfill/core/config/tune";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";
import { clamp, notesOf } from "./clamp.ts";
import type { ControlAnswer, ControlDeps } from "./control-deps.ts";
import { throttleChanges } from "./new-run.ts";
import { tunedOwn } from "./off-peak.ts";
import { chooseRun, labelOf } from "./open-run.ts";
import { wakePlanned } from "./wake-planned.ts";

const MAX_TUNE_ATTEMPTS = 5;

type WantedTune = Tune & { readonly who?: Actor };

function whoOf(who: Actor | undefined): { readonly who?: Actor } {
  return who === undefined ? {} : { who };
}

/** @throws UsageError, ConfigError: refused, nothing has changed */
export async function tuneRun(
  deps: ControlDeps,
  event: { readonly settings: Readonly<Record<string, unknown>>; readonly run?: string },
  who?: Actor,
): Promise<ControlAnswer> {
  return tuneTo(deps, event.run, { ...parseTune(event.settings), ...whoOf(who) });
}

/**
 * Of a run that has just begun and has joined a pace: the throttle settings that were given with the start itself become a tune of that pace. What the start
 * did not give leaves the pace as it is. A run that has its pace alone has begun it with these settings already.
 */
export async function tuneAsStarted(deps: ControlDeps, run: Run, config: Config, who?: Actor): Promise<Run> {
  const isOfStart = (key: SettingKey) => config.sources[key] === "event" || config.sources[key] === "flag";
  const keys = THROTTLE_KEYS.filter((key) => isOfStart(key) || isOfStart("profile"));
  const { throttle } = clamp(deps.limits, config.settings);
  const different = keys.filter((key) => throttle[key] !== run.throttle[key]);
  if (different.length === 0) return run;
  const wanted = {
    throttle: Object.fromEntries(different.map((key) => [key, throttle[key]])),
    profile: isOfStart("profile") ? config.settings.profile : null,
    ...whoOf(who),
  };
  return (await tuneTo(deps, run.runId, wanted)).run ?? run;
}

async function tuneTo(deps: ControlDeps, wantedRun: string | undefined, wanted: WantedTune): Promise<ControlAnswer> {
  for (let attempt = 1; attempt <= MAX_TUNE_ATTEMPTS; attempt += 1) {
    const answer = await tuneOnce(deps, await runOfPace(deps, wantedRun), wanted);
    if (answer !== null) return answer;
  }
  throw new UsageError("other commands change the run at the same time: look at its status and try again");
}

/** While all open runs have one pace, any of them will do. */
async function runOfPace(deps: ControlDeps, wanted: string | undefined): Promise<Run> {
  const [run, ...more] = wanted === undefined ? await deps.store.openRuns() : [];
  if (run !== undefined && more.every(({ paceId }) => paceId === run.paceId)) return run;
  return chooseRun(deps, "tune", wanted);
}

/** null: somebody else has changed its pace since it was read. */
async function tuneOnce(deps: ControlDeps, run: Run, wanted: WantedTune): Promise<ControlAnswer | null> {
  const { throttle, clamped } = clamp(deps.limits, { ...run.throttle, ...wanted.throttle });
  // A higher limit is always better than the one that is in force.
  const isLower = throttle.maxMemoryMb < run.throttle.maxMemoryMb;
  const problem = isLower ? ((await deps.limitProblem?.(throttle.maxMemoryMb, run.runId)) ?? null) : null;
  if (problem !== null) throw new ConfigError([problem]);
  const changes = throttleChanges(run.throttle, throttle);
  const notes = notesOf(clamped);
  // Inside the off-peak window it holds for the pace that comes back after it, too.
  const offPeak = tunedOwn(run, wanted, throttle);
  if (Object.keys(changes).length === 0 && isDeepStrictEqual(offPeak, run.offPeak))
    return { message: `nothing to change${notes}`, run };
  const nowMs = deps.clock.now();
  const named = wanted.profile === undefined ? [] : ["profile"];
  const sources = Object.fromEntries([...Object.keys(changes), ...named].map((key) => [key, "tune" as const]));
  const after = await deps.store.tune(run.runId, {
    throttle,
    profile: wanted.profile ?? run.profile,
    sources: { ...run.sources, ...sources },
    offPeak,
    record: { atMs: nowMs, by: "tune", ...whoOf(wanted.who), changes },
    nowMs,
    paceVersion: run.paceVersion,
  });
  if (after === null) return null;
  const said = Object.entries(changes).map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`);
  const others = (await deps.store.openRuns()).filter(
    ({ runId, paceId }) => runId !== run.runId && paceId === run.paceId,
  );
  const about = others.length === 0 ? labelOf(run) : `the pace of ${others.length + 1} runs`;
  const woken = await wakePlanned(deps, run, after);
  // What the others had planned at the slower pace is planned again, too.
  for (const other of others) await wakePlanned(deps, { ...other, ...paceBefore(run) }, other);
  return { message: `${about}: ${said.join(", ")}${notes}`, run: woken };
}

/** What decides whether planned batches are worth planning again. */
function paceBefore({ throttle, backOff, plannedDueMs }: Run): Pick<Run, "throttle" | "backOff" | "plannedDueMs"> {
  return { throttle, backOff, plannedDueMs };
}
