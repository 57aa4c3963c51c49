/**
 * An operator's tune of a run: one conditional change of the pace, tried again where somebody else has changed it since it was
 * read. It acts within one batch.
 */
import { isDeepStrictEqual } from "node:util";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { settingName } from "@firehose-backfill/core/config/definitions";
import { parseTune, type Tune } from "@firehose-backfill/core/config/tune";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";
import { clamp, notesOf } from "./clamp.ts";
import type { ControlAnswer, ControlDeps } from "./control-deps.ts";
import { throttleChanges } from "./new-run.ts";
import { tunedOwn } from "./off-peak.ts";
import { mustBeOpen } from "./open-run.ts";
import { wakePlanned } from "./wake-planned.ts";

const MAX_TUNE_ATTEMPTS = 5;

/** @throws UsageError, ConfigError: refused, nothing has changed */
export async function tuneRun(deps: ControlDeps, values: Readonly<Record<string, unknown>>): Promise<ControlAnswer> {
  const wanted = parseTune(values);
  for (let attempt = 1; attempt <= MAX_TUNE_ATTEMPTS; attempt += 1) {
    const answer = await tuneOnce(deps, await mustBeOpen(deps, "tune"), wanted);
    if (answer !== null) return answer;
  }
  throw new UsageError("other commands change the run at the same time: look at its status and try again");
}

/** null: somebody else has changed its pace since it was read. */
async function tuneOnce(deps: ControlDeps, run: Run, wanted: Tune): Promise<ControlAnswer | null> {
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
    record: { atMs: nowMs, by: "tune", changes },
    nowMs,
    paceVersion: run.paceVersion,
  });
  if (after === null) return null;
  const said = Object.entries(changes).map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`);
  return { message: `run ${run.runId}: ${said.join(", ")}${notes}`, run: await wakePlanned(deps, run, after) };
}
