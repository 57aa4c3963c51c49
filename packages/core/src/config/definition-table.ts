/** The type of a table of settings: each entry has the key and the group that the setting's type names. */
import type { SettingDefinition } from "./kinds.ts";
import type { PaceSettings, ScopeSettings, SettingKey, ThrottleSettings } from "./settings.ts";

/** The group that a setting's type names. */
type GroupOf<K extends SettingKey> = K extends keyof ThrottleSettings
  ? "throttle"
  : K extends keyof ScopeSettings
    ? "scope"
    : K extends "profile"
      ? "profile"
      : "deployment";

type IsPace<K extends SettingKey> = K extends keyof PaceSettings ? { isPace: true } : { isPace?: never };

export type DefinitionTable<Keys extends SettingKey> = {
  readonly [K in Keys]: SettingDefinition<K> & { readonly group: GroupOf<K> } & IsPace<K>;
};
