/**
 * The settings that were given in environment and flags, as opposed to defaults. A run stores which ones it last saw,
 * and a restart or a deploy changes only settings whose given value has changed since. So a tuned value stays until
 * somebody gives that setting another value. Pure.
 */
import { createHash } from "node:crypto";
import type { SeenSettings } from "@firehose-backfill/checkpoint/pace";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { SCOPE_KEYS, THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import type { Config, SettingKey, ThrottleSettings } from "@firehose-backfill/core/config/settings";

const HASH_CHARS = 12;

export function isGiven(config: Config, key: SettingKey): boolean {
  const source = config.sources[key];
  return source === "environment" || source === "flag" || source === "event";
}

/** A profile that is given gives every throttle setting. */
export function givenSettings(config: Config): SeenSettings {
  const { settings } = config;
  const hasProfile = isGiven(config, "profile");
  const throttle = THROTTLE_KEYS.filter((key) => hasProfile || isGiven(config, key));
  const scope = SCOPE_KEYS.filter((key) => isGiven(config, key)).map((key) => [key, settings[key]]);
  return {
    profile: hasProfile ? settings.profile : null,
    throttle: Object.fromEntries(throttle.map((key) => [key, settings[key]])),
    scopeHash: createHash("sha256").update(JSON.stringify(scope)).digest("hex").slice(0, HASH_CHARS),
  };
}

export type Followed = Pick<Run, "throttle" | "profile" | "sources" | "seen">;

/** The throttle with the settings that were given anew; null: nothing changes. A setting that is not given changes nothing. */
export function followGiven(
  run: Followed,
  given: SeenSettings,
): { readonly throttle: ThrottleSettings; readonly profile: Run["profile"] } | null {
  const anew = THROTTLE_KEYS.filter((key) => {
    const value = given.throttle[key];
    return value !== undefined && value !== run.throttle[key] && !wasSeen(run, key, value);
  });
  const profile = given.profile !== null && given.profile !== run.seen?.profile ? given.profile : run.profile;
  if (anew.length === 0 && profile === run.profile) return null;
  return {
    throttle: { ...run.throttle, ...Object.fromEntries(anew.map((key) => [key, given.throttle[key]])) },
    profile,
  };
}

export function isSameGiven(a: SeenSettings | null, b: SeenSettings): boolean {
  return (
    a !== null &&
    a.profile === b.profile &&
    a.scopeHash === b.scopeHash &&
    THROTTLE_KEYS.every((key) => a.throttle[key] === b.throttle[key])
  );
}

/** For a run of an older program, the seen settings are not known: the tuned values are assumed to be newer. */
function wasSeen(run: Followed, key: keyof ThrottleSettings, value: number | boolean): boolean {
  return run.seen === null ? run.sources[key] === "tune" : run.seen.throttle[key] === value;
}
