/** Estimates a run from a survey: its time, whether it finishes, database size, cost, and what to change. Pure. */
import type { Config, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import { PROFILE_NAMES, type ProfileName } from "@firehose-backfill/core/config/settings";
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import { functionMemoryMb } from "@firehose-backfill/core/cost/function-memory";
import { type CostEstimate, estimateCost } from "@firehose-backfill/core/cost/model";
import type { ReposSurvey, Survey, TimedCursor } from "@firehose-backfill/source/survey";
import { allowedRatePerSecond, effectiveDelayMs } from "@firehose-backfill/throttle/slots";
import { adviceFor } from "./advice.ts";
import { databaseBytes } from "./database-size.ts";
import { measure, type Measurement } from "./measure.ts";
import { fallsOffAfter, type Race } from "./race.ts";
import type { Estimate, PacePlan, Plan, PlanRepos, Verdict } from "./types.ts";

/** A quarter of Neon's compute unit: the usual size of a small database while it is awake. */
const DATABASE_COMPUTE_UNITS = 0.25;

type Pace = Pick<ThrottleSettings, "batchSize" | "batchDelayMs" | "maxConcurrent" | "maxMemoryMb">;

export function estimatePlan(survey: Survey, config: Config): Plan {
  const { stretches } = survey;
  const from = stretches[0]?.from ?? null;
  const to = stretches.at(-1)?.to ?? null;
  const measured = measure(stretches);
  const race = raceOf(survey, measured);
  const own = pacePlan(config.settings, null, measured, race);
  const profiles = PROFILE_NAMES.map((name) => pacePlan(PROFILES[name], name, measured, race).pace);
  const seconds = from === null || to === null ? 0 : Math.max(0, (to.timeMs - from.timeMs) / 1_000);
  const samples = stretches.flatMap(({ sample }) => (sample === null ? [] : [sample]));
  const { rows, recordBytes } = measured;
  return {
    host: survey.host,
    at: new Date(survey.atMs).toISOString(),
    window: {
      from: shown(from),
      to: shown(to),
      seconds,
      isClamped: survey.isClamped,
      endsLater: survey.endsLater,
    },
    retentionSeconds: survey.oldestKept === null ? null : (survey.atMs - survey.oldestKept.timeMs) / 1_000,
    sampled: {
      positions: samples.length,
      frames: samples.reduce((sum, { frames }) => sum + frames, 0),
      events: samples.reduce((sum, { events }) => sum + events, 0),
    },
    arrivalPerSecond: measured.arrivalPerSecond,
    matchingShare: measured.matchingShare,
    matchingPerSecond: seconds > 0 ? measured.matching.expected / seconds : 0,
    events: { received: measured.events, matching: measured.matching },
    readBytes: measured.readBytes,
    database: { rows, bytes: databaseBytes({ rows, recordBytes }) },
    pace: own.pace,
    cost: { lines: own.cost.lines, totalUsd: own.cost.totalUsd, basis: own.cost.basis },
    profiles,
    ...(survey.repos === undefined ? {} : { repos: planRepos(survey.repos, own.pace.seconds.expected) }),
    advice: adviceFor({ survey, measured, race, pace: own.pace, profiles }),
  };
}

/** A host is asked so many times a second, whatever the pace is. */
function planRepos({ requestsPerSecond, ...repos }: ReposSurvey, paceSeconds: number): PlanRepos {
  const [busiest] = repos.hosts;
  const slowest = busiest === undefined ? null : { host: busiest.host, seconds: busiest.requests / requestsPerSecond };
  return { ...repos, slowest, seconds: Math.max(paceSeconds, slowest?.seconds ?? 0) };
}

/** null: the relay drops nothing, or the time is not known. */
function raceOf(survey: Survey, measured: Measurement): Race | null {
  const { oldestKept, stretches } = survey;
  const fromMs = stretches[0]?.from.timeMs;
  if (oldestKept === null || fromMs === undefined) return null;
  return { stretches: measured.stretches, fromMs, oldestKeptMs: oldestKept.timeMs };
}

function pacePlan(
  pace: Pace,
  profile: ProfileName | null,
  measured: Measurement,
  race: Race | null,
): { readonly pace: PacePlan; readonly cost: CostEstimate } {
  const { batchSize, batchDelayMs, maxConcurrent, maxMemoryMb } = pace;
  const costOf = (events: number) =>
    estimateCost({
      events,
      batchSize,
      batchDelayMs,
      maxConcurrent,
      functionMemoryMb: functionMemoryMb(maxMemoryMb),
      databaseComputeUnits: DATABASE_COMPUTE_UNITS,
    });
  // A thousand batches are enough to compute the rate, whatever the total is.
  const probe = batchSize * 1_000;
  const drainPerSecond = probe / costOf(probe).usage.seconds;
  const { matching } = measured;
  const cost = costOf(matching.expected);
  return {
    cost,
    pace: {
      profile,
      batchSize,
      batchDelayMs,
      maxConcurrent,
      allowedRatePerSecond: allowedRatePerSecond({ batchSize, effectiveDelayMs: effectiveDelayMs(pace, 1) }),
      drainPerSecond,
      seconds: scale(matching, 1 / drainPerSecond),
      finishes: race === null ? "yes" : verdict(matching, race, drainPerSecond),
      fallsOffAfterSeconds: race === null ? null : fallsOffAfter(race, drainPerSecond),
      usd: cost.totalUsd,
    },
  };
}

/** More events than expected have the same effect as a lower pace. */
function verdict(matching: Estimate, race: Race, drainPerSecond: number): Verdict {
  if (matching.expected === 0) return "yes";
  const finishesWith = (events: number): boolean =>
    events === 0 || fallsOffAfter(race, (drainPerSecond * matching.expected) / events) === null;
  if (finishesWith(matching.high)) return "yes";
  return finishesWith(matching.low) ? "unclear" : "no";
}

function scale({ low, expected, high }: Estimate, factor: number): Estimate {
  return { low: low * factor, expected: expected * factor, high: high * factor };
}

function shown(cursor: TimedCursor | null): { readonly seq: number; readonly time: string } | null {
  return cursor === null ? null : { seq: cursor.ordinal, time: new Date(cursor.timeMs).toISOString() };
}
