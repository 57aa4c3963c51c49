/** What `plan` answers: what a run would meet and cost, before there is one. Estimates, each with how sure it is. */
import type { ProfileName } from "@firehose-backfill/core/config/settings";
import type { CostLine } from "@firehose-backfill/core/cost/model";

/** A figure that was measured on samples: where it surely lies, as far as samples can say. */
export interface Estimate {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

/** `yes`: also by the highest estimate. `no`: not even by the lowest. `unclear`: it depends. */
export type Verdict = "yes" | "no" | "unclear";

/** One pace, and what the run would be at it. */
export interface PacePlan {
  /** null: the settings as they are. */
  readonly profile: ProfileName | null;
  readonly batchSize: number;
  readonly batchDelayMs: number;
  readonly maxConcurrent: number;
  /** null: no pacing; the consumers decide. */
  readonly allowedRatePerSecond: number | null;
  /** What it comes to: the allowed rate, or what the consumers can do. */
  readonly drainPerSecond: number;
  readonly seconds: Estimate;
  readonly finishes: Verdict;
  /** When the relay drops what would be read next, by the expected figures. null: it does not. */
  readonly fallsOffAfterSeconds: number | null;
  readonly usd: number;
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
  /** How much the relay keeps; null: nothing falls off, or it was not seen. */
  readonly retentionSeconds: number | null;
  /** Positions at which the stream was sampled, and what was seen there in all. */
  readonly sampled: { readonly positions: number; readonly frames: number; readonly events: number };
  /** Everything that the stream brings, a second of its own time: over the slowest stretch, on average, over the fastest. */
  readonly arrivalPerSecond: Estimate;
  /** Of those, what passes the filters. 0 to 1. */
  readonly matchingShare: Estimate;
  readonly matchingPerSecond: number;
  readonly events: { readonly received: number; readonly matching: Estimate };
  /** Read from the relay. */
  readonly readBytes: number;
  readonly database: { readonly rows: number; readonly bytes: number };
  /** As configured. */
  readonly pace: PacePlan;
  readonly cost: { readonly lines: readonly CostLine[]; readonly totalUsd: number; readonly basis: string };
  readonly profiles: readonly PacePlan[];
  /** What to change where it does not finish, and what else should be known; sentences for a person. */
  readonly advice: readonly string[];
}
