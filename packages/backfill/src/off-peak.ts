/**
 * BACKFILL_OFF_PEAK: inside its window the pace of a profile, outside the run's own. The clock turns it, as a tune: the
 * record says so, and what is planned takes new places. What an operator tunes inside the window holds now and after it.
 */
import type { OffPeakPace, PaceSettings, Run } from "@firehose-backfill/checkpoint/run";
import { isOffPeak } from "@firehose-backfill/core/config/off-peak";
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import type { ProfileName, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import type { Tune } from "@firehose-backfill/core/config/tune";
import type { ReaderDeps } from "./deps.ts";
import { throttleChanges } from "./new-run.ts";

const PACE_KEYS = ["batchSize", "batchDelayMs", "maxConcurrent"] as const satisfies readonly (keyof PaceSettings)[];

const OFF_PEAK_SOURCES: Run["sources"] = {
  profile: "off-peak",
  batchSize: "off-peak",
  batchDelayMs: "off-peak",
  maxConcurrent: "off-peak",
};

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
    paceEpoch: run.paceEpoch,
  });
  if (after === null) return (await store.getRun(run.runId)) ?? run;
  const { batchSize, batchDelayMs } = after.throttle;
  const pace = `${batchSize} events every ${batchDelayMs} ms`;
  deps.log(`[BACKFILL] ${wanted === null ? "Off-peak is over" : `Off-peak, ${wanted}`}: ${pace}`);
  return after;
}

/** The pace that is the run's own, whatever is in force now. */
export function ownThrottle(run: Run): { readonly throttle: ThrottleSettings; readonly profile: ProfileName } {
  if (run.offPeak === null) return { throttle: run.throttle, profile: run.profile };
  const { profile, ...pace } = run.offPeak.own;
  return { throttle: { ...run.throttle, ...pace }, profile };
}

/** What is put by, with what an operator tunes now: of `wanted`, as far as `bounded` has it. null: nothing is put by. */
export function tunedOwn(run: Run, wanted: Tune, bounded: ThrottleSettings): OffPeakPace | null {
  if (run.offPeak === null) return null;
  const { own, ownSources } = run.offPeak;
  const keys = PACE_KEYS.filter((key) => wanted.throttle[key] !== undefined && bounded[key] !== own[key]);
  return {
    ...run.offPeak,
    own: {
      ...own,
      ...Object.fromEntries(keys.map((key) => [key, bounded[key]])),
      profile: wanted.profile ?? own.profile,
    },
    ownSources: { ...ownSources, ...Object.fromEntries(keys.map((key) => [key, "tune"])) },
  };
}

/** The run with another pace of its own. Inside the window it waits for its turn; what is no pace holds at once. */
export function withOwn(
  run: Run,
  own: { readonly throttle: ThrottleSettings; readonly profile: ProfileName },
  sources: Run["sources"],
): Turned {
  const all = { ...run.sources, ...sources };
  if (run.offPeak === null) return { ...own, sources: all, offPeak: null };
  return {
    throttle: { ...own.throttle, ...pick(run.throttle) },
    profile: run.profile,
    sources: { ...all, ...paceSources(run.sources) },
    offPeak: {
      ...run.offPeak,
      own: { ...pick(own.throttle), profile: own.profile },
      ownSources: { ...run.offPeak.ownSources, ...paceSources(sources) },
    },
  };
}

export type Turned = Pick<Run, "throttle" | "profile" | "sources" | "offPeak">;

function enter(run: Run, profile: ProfileName, mostConcurrent: number): Turned {
  const { batchSize, batchDelayMs, maxConcurrent } = PROFILES[profile];
  const before = run.offPeak ?? {
    own: { profile: run.profile, ...pick(run.throttle) },
    ownSources: paceSources(run.sources),
  };
  return {
    throttle: { ...run.throttle, batchSize, batchDelayMs, maxConcurrent: Math.min(maxConcurrent, mostConcurrent) },
    profile,
    sources: { ...run.sources, ...OFF_PEAK_SOURCES },
    offPeak: { ...before, profile },
  };
}

function leave(run: Run): Turned {
  const ownSources = run.offPeak?.ownSources ?? {};
  return { ...ownThrottle(run), sources: { ...run.sources, ...ownSources }, offPeak: null };
}

function pick(throttle: ThrottleSettings): PaceSettings {
  const { batchSize, batchDelayMs, maxConcurrent } = throttle;
  return { batchSize, batchDelayMs, maxConcurrent };
}

function paceSources(sources: Run["sources"]): Run["sources"] {
  return Object.fromEntries(
    (["profile", ...PACE_KEYS] as const).flatMap((key) => {
      const source = sources[key];
      return source === undefined ? [] : [[key, source]];
    }),
  );
}
