/** Settings for status, logs and the page: named as in the environment, escaped, and without secrets. */
import { definitionOf, SETTINGS } from "./definitions.ts";
import type { ShownValue } from "./kinds.ts";
import type { Config, SettingKey, Settings, SettingSource } from "./settings.ts";

/** DATABASE_URL is user@host/database; long lists are cut; null: the setting is not set and has no default. */
export function describeSetting<K extends SettingKey>(key: K, value: Settings[K]): ShownValue {
  return definitionOf(key).kind.show(value);
}

export type SettingsRecord = Readonly<Record<string, { readonly value: ShownValue; readonly source: SettingSource }>>;

/** Builds Snapshot.settings: every setting by its name in the environment. */
export function settingsRecord(config: Config): SettingsRecord {
  return Object.fromEntries(
    SETTINGS.map(({ key, name }) => [
      name,
      { value: describeSetting(key, config.settings[key]), source: config.sources[key] },
    ]),
  );
}
