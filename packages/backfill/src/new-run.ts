/** A configuration as a run, and its scope against that of a run which is not finished. */
import { createHash } from "node:crypto";
import { pick, SCOPE_KEYS, THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import { givenSettings, isGiven } from "./given-settings.ts";
import type { NewRun, Run } from "@firehose-backfill/checkpoint/run";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { RunSource } from "@firehose-backfill/source/kit";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import type { Config, ScopeSettings, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import { refuseWithoutRepos, refuseRangeOfRepos, runSourceOf, startOfRepos } from "./repos-run.ts";

const DAY_MS = 86_400_000;
/** Readable, sortable, unique enough for one at a time: `20261124-081200-k3f9`. */
export function newRunId(nowMs: number, random: () => number): string {
  const [date = "", time = ""] = new Date(nowMs).toISOString().slice(0, 19).split("T");
  const stamp = `${date.replaceAll("-", "")}-${time.replaceAll(":", "")}`;
  const tail = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, "0");
  return `${stamp}-${tail}`;
}

/** @throws UsageError where it would read repositories, and nothing says which */
export function newRun(
  config: Config,
  options: {
    readonly runId: string;
    readonly nowMs: number;
    readonly start?: StartPoint;
    readonly end?: EndPoint;
    readonly name?: string;
    /** The deployment's configuration without what this start alone asks for. Left out: it asks for nothing else. */
    readonly deployment?: Config;
    readonly database?: DatabaseIdentity | undefined;
  },
): NewRun {
  const { settings, sources } = config;
  const isOfRepos = settings.source === "repos";
  // Handles have no time and no order that a start or an end could name.
  const range = settings.source === "handles" ? {} : { start: options.start, end: options.end };
  if (isOfRepos) refuseWithoutRepos(config);
  if (isOfRepos) refuseRangeOfRepos(options);
  const days = settings.source === "handles" ? -1 : settings.days;
  const start = isOfRepos ? startOfRepos(config, options.nowMs) : startOf(days, options.nowMs);
  const source = runSourceOf(settings);
  return {
    runId: options.runId,
    ...(options.name === undefined ? {} : { name: options.name }),
    about: aboutOf(source, scopeOf(config), range),
    source,
    ...(options.database === undefined ? {} : { database: options.database }),
    profile: settings.profile,
    throttle: throttleOf(config),
    scope: scopeOf(config),
    sources: pickSources(sources),
    seen: givenSettings(options.deployment ?? config),
    start: range.start ?? start,
    end: range.end ?? { kind: "caught-up" },
    createdAtMs: options.nowMs,
  };
}

/**
 * What a run is about, as a short text: source, filters, verification, and the range as it was asked for. Of a start by days
 * it is the number of days: the same start a minute later asks for the same.
 */
function aboutOf(
  source: RunSource,
  scope: ScopeSettings,
  range: { readonly start?: StartPoint | undefined; readonly end?: EndPoint | undefined },
): string {
  const { collections, dids, verify, days } = scope;
  const from = range.start ?? days;
  const text = JSON.stringify([source, collections.toSorted(), dids.toSorted(), verify, from, range.end ?? null]);
  return createHash("sha256").update(text).digest("base64url").slice(0, ABOUT_CHARS);
}

const ABOUT_CHARS = 16;

export function throttleOf(config: Config): ThrottleSettings {
  return pick(config.settings, THROTTLE_KEYS);
}

/** A scope setting that the environment gives and that is not the run's. */
export interface ScopeConflict {
  readonly key: keyof ScopeSettings;
  readonly ofRun: string;
  readonly given: string;
}

/** Only settings that were given count. For a setting that is unset, the run keeps its own value. */
export function scopeConflicts(scope: ScopeSettings, config: Config): readonly ScopeConflict[] {
  // It is about all accounts of the database, whatever other runs read.
  if (scope.source === "handles" && config.settings.source !== "handles") return [];
  const given = scopeOf(config);
  return SCOPE_KEYS.flatMap((key) => {
    const ofRun = showValue(valueIn(scope, key));
    const wanted = showValue(valueIn(given, key));
    return isGiven(config, key) && ofRun !== wanted && !isEitherSource(key, wanted)
      ? [{ key, ofRun, given: wanted }]
      : [];
  });
}

/** Where those settings are from, and the profile, where it was given: the environment, or the profile that it names. */
export function resumedSources(config: Config, changed: readonly string[]): Run["sources"] {
  const keys = ["profile", ...THROTTLE_KEYS] as const;
  return Object.fromEntries(
    keys
      .filter((key) => changed.includes(key) || (key === "profile" && isGiven(config, key)))
      .map((key) => [key, config.sources[key]]),
  );
}

/**
 * Whether a run of this configuration would be about the same as one with that scope. The number of days says how far
 * back to begin; if it was not given now, it does not make a difference.
 */
export function isSameScope(scope: ScopeSettings, config: Config): boolean {
  const wanted = scopeOf(config);
  return SCOPE_KEYS.every(
    (key) =>
      (key === "days" && !isGiven(config, key)) || showValue(valueIn(scope, key)) === showValue(valueIn(wanted, key)),
  );
}

/** What changed, for the record and for the log. */
export function throttleChanges(from: ThrottleSettings, to: ThrottleSettings): Run["tunes"][number]["changes"] {
  return Object.fromEntries(
    THROTTLE_KEYS.filter((key) => from[key] !== to[key]).map((key) => [key, { from: from[key], to: to[key] }]),
  );
}

/** Without a number of days, repositories are read whole. */
function scopeOf(config: Config): ScopeSettings {
  const scope = pick(config.settings, SCOPE_KEYS);
  if (scope.source === "handles") return { ...scope, days: -1, collections: [], dids: [] };
  return scope.source === "repos" && !isGiven(config, "days") ? { ...scope, days: -1 } : scope;
}

function startOf(days: number, nowMs: number): StartPoint {
  return days === -1 ? { kind: "oldest" } : { kind: "time", timeMs: nowMs - days * DAY_MS };
}

function pickSources(sources: Config["sources"]): Run["sources"] {
  const keys = ["profile", ...THROTTLE_KEYS, ...SCOPE_KEYS] as const;
  return Object.fromEntries(keys.map((key) => [key, sources[key]]));
}

/** Runs of before there was a choice read a relay. */
function valueIn(
  scope: ScopeSettings,
  key: keyof ScopeSettings,
): Exclude<ScopeSettings[keyof ScopeSettings], undefined> {
  return scope[key] ?? (key === "source" ? "relay" : null);
}

/** `both` has a run of each. */
function isEitherSource(key: keyof ScopeSettings, wanted: string): boolean {
  return key === "source" && wanted === "both";
}

function showValue(value: Exclude<ScopeSettings[keyof ScopeSettings], undefined>): string {
  if (value === null) return "(sample)";
  if (typeof value !== "object") return String(value);
  return value.length === 0 ? "all" : value.toSorted().join(",");
}
