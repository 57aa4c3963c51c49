/**
 * BACKFILL_OFF_PEAK: inside its window the pace of a profile, outside it the run's own. The reader changes it by
 * the clock, and it is recorded like a tune; batches that are planned take new slots. What an operator tunes inside the
 * window holds now and after it.
 */
import type { OffPeakPace, Pace, Sources } from "@firehose-backfill/checkpoint/pace";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { PACE_KEYS, pick } from "@firehose-backfill/core/config/groups";
import { isOffPeak } from "@firehose-backfill/core/config/off-peak";
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import type { ProfileName, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import type { Tune } from "@firehose-backfill/core/config/tune";
import type { ReaderDeps } from "./deps.ts";
import { throttleChanges } from "./new-run.ts";

const WITH_PROFILE = ["profile", ...PACE_KEYS] as const;
const OFF_PEAK_SOURCES: Sources = Object.fromEntries(WITH_PROFILE.map((key) => [key, "off-peak"]));

/** The run with the pace that belongs to now. Tried again at the next tick where somebody else has tuned it meanwhile. */
export async function keepOffPeak(
  deps: Pick<ReaderDeps, "store" | "clock" | "log" | "offPeak" | "limits">,
  run: Run,
): Promise<Run> {
  const { store, clock, offPeak, limits } = deps;
  if (run.status !== "enqueued" && run.status !== "running" && run.status !== "pausing") return run;
  const nowMs = clock.now();
  const wanted = offPeak !== null && isOffPeak(offPeak, nowMs) ? offPeak.profile : null;
  if (wanted === (run.offPeak?.profile ?? null)) return run;
  const next = wanted === null ? leave(run) : enter(run, wanted, limits?.maxConcurrent ?? Number.POSITIVE_INFINITY);
  const after = await store.tune(run.runId, {
    ...next,
    record: { atMs: nowMs, by: "off-peak", changes: throttleChanges(run.throttle, next.throttle) },
    nowMs,
    paceVersion: run.paceVersion,
  });
  if (after === null) return (await store.getRun(run.runId)) ?? run;
  const { batchSize, batchDelayMs } = after.throttle;
  const pace = `${batchSize} events every ${batchDelayMs} ms`;
  deps.log(`[BACKFILL] ${wanted === null ? "Off-peak is over" : `Off-peak, ${wanted}`}: ${pace}`);
  return after;
}

/** The pace that is the run's own, whatever is in force now. */
export function ownThrottle(pace: Pace): { readonly throttle: ThrottleSettings; readonly profile: ProfileName } {
  if (pace.offPeak === null) return { throttle: pace.throttle, profile: pace.profile };
  const { profile, ...own } = pace.offPeak.own;
  return { throttle: { ...pace.throttle, ...own }, profile };
}

/** The run's own pace that is kept for later, with what an operator tunes now: `wanted`, within `bounded`. null: none is kept. */
export function tunedOwn(pace: Pace, wanted: Tune, bounded: ThrottleSettings): OffPeakPace | null {
  if (pace.offPeak === null) return null;
  const { own, ownSources } = pace.offPeak;
  const keys = PACE_KEYS.filter((key) => wanted.throttle[key] !== undefined && bounded[key] !== own[key]);
  return {
    ...pace.offPeak,
    own: {
      ...own,
      ...Object.fromEntries(keys.map((key) => [key, bounded[key]])),
      profile: wanted.profile ?? own.profile,
    },
    ownSources: { ...ownSources, ...Object.fromEntries(keys.map((key) => [key, "tune"])) },
  };
}

/** The run with another pace of its own. Inside the window the new pace waits until the window ends; other settings hold at once. */
export function withOwn(
  pace: Pace,
  own: { readonly throttle: ThrottleSettings; readonly profile: ProfileName },
  sources: Sources,
): ChangedPace {
  const all = { ...pace.sources, ...sources };
  if (pace.offPeak === null) return { ...own, sources: all, offPeak: null };
  return {
    throttle: { ...own.throttle, ...pick(pace.throttle, PACE_KEYS) },
    profile: pace.profile,
    sources: { ...all, ...paceSources(pace.sources) },
    offPeak: {
      ...pace.offPeak,
      own: { ...pick(own.throttle, PACE_KEYS), profile: own.profile },
      ownSources: { ...pace.offPeak.ownSources, ...paceSources(sources) },
    },
  };
}

export type ChangedPace = Pick<Pace, "throttle" | "profile" | "sources" | "offPeak">;

function enter(pace: Pace, profile: ProfileName, mostConcurrent: number): ChangedPace {
  const wanted = pick(PROFILES[profile], PACE_KEYS);
  const before = pace.offPeak ?? {
    own: { profile: pace.profile, ...pick(pace.throttle, PACE_KEYS) },
    ownSources: paceSources(pace.sources),
  };
  return {
    throttle: { ...pace.throttle, ...wanted, maxConcurrent: Math.min(wanted.maxConcurrent, mostConcurrent) },
    profile,
    sources: { ...pace.sources, ...OFF_PEAK_SOURCES },
    offPeak: { ...before, profile },
  };
}

function leave(pace: Pace): ChangedPace {
  const ownSources = pace.offPeak?.ownSources ?? {};
  return { ...ownThrottle(pace), sources: { ...pace.sources, ...ownSources }, offPeak: null };
}

function paceSources(sources: Sources): Sources {
  return Object.fromEntries(
    WITH_PROFILE.flatMap((key) => {
      const source = sources[key];
      return source === undefined ? [] : [[key, source]];
    }),
  );
}
