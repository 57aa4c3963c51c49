/**
 * The stored state of a pace, as values: how fast events are applied to one database, and up to which moment slots are
 * reserved. A run names its pace. The pace belongs to the database and not to the run, because the database limits the rate.
 */
import type { Actor } from "./notes.ts";
import type {
  PaceSettings,
  ProfileName,
  ScopeSettings,
  SettingSource,
  ThrottleSettings,
} from "@firehose-backfill/core/config/settings";

/** Where each setting comes from. */
export type Sources = Readonly<
  Partial<Record<keyof ThrottleSettings | keyof ScopeSettings | "profile", SettingSource>>
>;

/** One change of the throttle of a running run. */
export interface TuneRecord {
  readonly atMs: number;
  readonly by: "tune" | "resume" | "deploy" | "off-peak";
  /** How a tune was sent. Absent: an older program recorded it. */
  readonly who?: Actor;
  readonly changes: Readonly<
    Record<string, { readonly from: string | number | boolean; readonly to: string | number | boolean }>
  >;
}

/** Set while an off-peak pace is in force: its profile, and the values that return after it. */
export interface OffPeakPace {
  readonly profile: ProfileName;
  readonly own: PaceSettings & { readonly profile: ProfileName };
  /** Where the values of `own` come from, by the same keys. */
  readonly ownSources: Sources;
}

/** The settings, other than defaults, that the program had when they were last compared. A run follows only a change of these. */
export interface SeenSettings {
  readonly profile: ProfileName | null;
  readonly throttle: Partial<ThrottleSettings>;
  /** The scope settings among them. */
  readonly scopeHash: string;
}

/** The pace item: about 1 KB. */
export interface Pace {
  /** The id of the database for which the run began, or DEFAULT_PACE_ID if that was not known. */
  readonly paceId: string;
  readonly profile: ProfileName;
  /** The profile and the throttle that are in force now. */
  readonly throttle: ThrottleSettings;
  /** Where the values of `profile` and `throttle` come from. */
  readonly sources: Sources;
  /** null: no off-peak pace is in force; `profile` and `throttle` are the run's own. */
  readonly offPeak: OffPeakPace | null;
  /** null: an older program began the run, and no settings have been compared since. */
  readonly seen: SeenSettings | null;
  /** The last few changes of the throttle, newest last; at most 5. */
  readonly tunes: readonly TuneRecord[];

  /** The counter of the pace: the first moment after all reserved slots. */
  readonly plannedDueMs: number;
  /** The version of the pace, which only grows. Slots of an older version are not valid any more. */
  readonly paceVersion: number;
  /** 1, 2, 4, 8 or 16. */
  readonly backOff: number;
  /** When backOff last changed; 0: never. */
  readonly backOffAtMs: number;
  /** Why backOff rose last: `memory`, `latency` or `throttle query`. */
  readonly backOffReason: string | null;
  /**
   * What consumers wait for (`database`, `throttle query: 3 > 0`) and since when; null: they do not wait. The reader plans
   * nothing while they wait.
   */
  readonly waiting: { readonly for: string; readonly sinceMs: number } | null;
  readonly memoryPauses: number;
  readonly lastMemoryPauseAtMs: number | null;
}

/** The pace of runs that began before their database was known. */
export const DEFAULT_PACE_ID = "default";
