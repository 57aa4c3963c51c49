/** The keys of each group of settings, taken from the table of definitions: a setting that is added there is in its group everywhere. */
import { definitionOf, SETTINGS } from "./definitions.ts";
import type { PaceSettings, ScopeSettings, SettingKey, ThrottleSettings } from "./settings.ts";

const KEYS: readonly SettingKey[] = SETTINGS.map(({ key }) => key);

// The type of the table guarantees these predicates.
const isThrottle = (key: SettingKey): key is keyof ThrottleSettings => definitionOf(key).group === "throttle";
const isPace = (key: SettingKey): key is keyof PaceSettings => definitionOf(key).isPace === true;
const isScope = (key: SettingKey): key is keyof ScopeSettings => definitionOf(key).group === "scope";

/** The settings that `tune` may change one by one. */
export const THROTTLE_KEYS: readonly (keyof ThrottleSettings)[] = KEYS.filter(isThrottle);
/** The settings of these that BACKFILL_OFF_PEAK takes from a profile. */
export const PACE_KEYS: readonly (keyof PaceSettings)[] = KEYS.filter(isPace);
/** The settings that say what a run reads. */
export const SCOPE_KEYS: readonly (keyof ScopeSettings)[] = KEYS.filter(isScope);

/** A copy of `from` with only those keys. */
export function pick<T extends object, K extends keyof T & string>(from: T, keys: readonly K[]): Pick<T, K> {
  const picked = { ...from };
  const kept: readonly string[] = keys;
  for (const key of Object.keys(picked)) if (!kept.includes(key)) Reflect.deleteProperty(picked, key);
  return picked;
}
