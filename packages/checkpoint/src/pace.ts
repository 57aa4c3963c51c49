/**
 * The durable state of a pace, as values: how fast events are applied to one database, and which moments are given away.
 * A run names its pace. What a database bears is a property of the database, not of a run.
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
  /** Of a tune: by which way it came. Absent: an older program recorded it. */
  readonly who?: Actor;
  readonly changes: Readonly<
    Record<string, { readonly from: string | number | boolean; readonly to: string | number | boolean }>
  >;
}

/** Kept while an off-peak pace is in force: which profile it is, and what comes back after it. */
export interface OffPeakPace {
  readonly profile: ProfileName;
  readonly own: PaceSettings & { readonly profile: ProfileName };
  /** Sources of `own`, by the same keys. */
  readonly ownSources: Sources;
}

/** What the program was given when its settings were last looked at, beside defaults: a change of it is what a run follows. */
export interface SeenSettings {
  readonly profile: ProfileName | null;
  readonly throttle: Partial<ThrottleSettings>;
  /** Of the scope settings that were given. */
  readonly scopeHash: string;
}

/** The pace item: about 1 KB. */
export interface Pace {
  /** The id of the database that the run was begun for, or DEFAULT_PACE_ID where that was not known. */
  readonly paceId: string;
  readonly profile: ProfileName;
  /** In force now. */
  readonly throttle: ThrottleSettings;
  /** Of `profile` and `throttle`. */
  readonly sources: Sources;
  /** null: `profile` and `throttle` are the run's own. */
  readonly offPeak: OffPeakPace | null;
  /** null: an older program began the run, and no settings have been looked at since. */
  readonly seen: SeenSettings | null;
  /** The last few changes of the throttle, newest last; at most 5. */
  readonly tunes: readonly TuneRecord[];

  /** The only clock of the pace: the first moment that no slot has been given away for. */
  readonly plannedDueMs: number;
  /** The version of the pace. Slots of another version do not hold any more. It only grows. */
  readonly paceVersion: number;
  /** 1, 2, 4, 8 or 16. */
  readonly backOff: number;
  /** When backOff last changed; 0: never. */
  readonly backOffAtMs: number;
  /** Why the last rise happened: `memory`, `latency`, `throttle query`. */
  readonly backOffReason: string | null;
  /** What consumers wait for (`database`, `throttle query: 3 > 0`), or null; and since when. The reader plans nothing meanwhile. */
  readonly waiting: { readonly for: string; readonly sinceMs: number } | null;
  readonly memoryPauses: number;
  readonly lastMemoryPauseAtMs: number | null;
}

/** Of runs that began before their database was known. */
export const DEFAULT_PACE_ID = "default";
