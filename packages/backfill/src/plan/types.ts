/** The answer of `plan`: estimates of a run before it is started, each with its uncertainty. */
import type { ProfileName } from "@firehose-backfill/core/config/settings";
import type { ReposSurvey } from "@firehose-backfill/source/survey";
import type { CostLine } from "@firehose-backfill/core/cost/model";

/** A figure from samples: the range in which the true value lies, as far as samples can tell. */
export interface Estimate {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

/** `yes`: even by the highest estimate. `no`: not even by the lowest. `unclear`: it depends. */
export type Verdict = "yes" | "no" | "unclear";

/** One pace, and the run at this pace. */
export interface PacePlan {
  /** null: the current settings. */
  readonly profile: ProfileName | null;
  readonly batchSize: number;
  readonly batchDelayMs: number;
  readonly maxConcurrent: number;
  /** null: no pacing; the consumers' speed decides. */
  readonly allowedRatePerSecond: number | null;
  /** The resulting rate: the allowed one, or the consumers' speed. */
  readonly drainPerSecond: number;
  readonly seconds: Estimate;
  readonly finishes: Verdict;
  /** When the relay drops the next events to be read, by the expected figures. null: never. */
  readonly fallsOffAfterSeconds: number | null;
  readonly usd: number;
}

/** Repositories and what is asked of their hosts. */
export interface PlanRepos extends Omit<ReposSurvey, "requestsPerSecond"> {
  /** The host that takes longest at BACKFILL_HOST_RATE; null: none is known. */
  readonly slowest: { readonly host: string; readonly seconds: number } | null;
  /** The larger one of the pace's time and of the slowest host's. */
  readonly seconds: number;
}

export interface Plan {
  readonly host: string;
  /** ISO 8601. */
  readonly at: string;
  readonly window: {
    readonly from: { readonly seq: number; readonly time: string } | null;
    readonly to: { readonly seq: number; readonly time: string } | null;
    readonly seconds: number;
    readonly isClamped: boolean;
    readonly endsLater: boolean;
  };
  /** How long the relay keeps events; null: it drops nothing, or this was not seen. */
  readonly retentionSeconds: number | null;
  /** How many positions of the stream were sampled, and how many events were seen in total. */
  readonly sampled: { readonly positions: number; readonly frames: number; readonly events: number };
  /** All events of the stream for each second of event time: in the slowest stretch, on average, in the fastest. */
  readonly arrivalPerSecond: Estimate;
  /** The share of them that passes the filters, 0 to 1. */
  readonly matchingShare: Estimate;
  readonly matchingPerSecond: number;
  readonly events: { readonly received: number; readonly matching: Estimate };
  /** Events to be read from the relay. */
  readonly readBytes: number;
  readonly database: { readonly rows: number; readonly bytes: number };
  /** With the configured settings. */
  readonly pace: PacePlan;
  readonly cost: { readonly lines: readonly CostLine[]; readonly totalUsd: number; readonly basis: string };
  readonly profiles: readonly PacePlan[];
  /** Of repositories; left out: of a stream. */
  readonly repos?: PlanRepos;
  /** BACKFILL_SOURCE=both: the other run, over repositories. Both share the pace, so together they take the sum of both times. */
  readonly beside?: Plan;
  /** What to change if it does not finish, and other advice; sentences for a person. */
  readonly advice: readonly string[];
}
