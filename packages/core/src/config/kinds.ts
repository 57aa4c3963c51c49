/**
 * The kind of a setting: how its text is parsed, how its allowed values are described, and how it is shown.
 * Parsing is strict: if "abc" became NaN, or an empty string 0, a throttle would be off.
 */
import { escapeForLog } from "../log-lines.ts";
import type { SettingKey, Settings } from "./settings.ts";

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

export interface ParseContext {
  /** For `@file` values. null: a file cannot be named here. */
  readonly readFile: ((path: string) => string) | null;
}

/** The form of a value in Snapshot.settings. */
export type ShownValue = string | number | boolean | null;

export interface Kind<T> {
  /** Continues "it takes …". */
  readonly takes: string;
  /** `text` is trimmed and not empty. A `problem` says what is wrong with it; it is empty if `takes` is enough. */
  parse(text: string, context: ParseContext): Parsed<T>;
  /** For status and logs: escaped, and without secrets. */
  show(value: T): ShownValue;
  /** A wrong value, for the text of a problem: escaped, and without secrets. */
  showHeld(text: string): string;
}

/**
 * `throttle`: `tune` may change it while a run is running. `profile`: names a set of throttle settings.
 * `scope`: what a run reads; fixed until it is finished. `deployment`: where the program runs; a control event cannot set it.
 */
export type SettingGroup = "profile" | "throttle" | "scope" | "deployment";

export interface SettingDefinition<K extends SettingKey = SettingKey> {
  /** The name of the environment variable. */
  readonly name: string;
  readonly key: K;
  readonly group: SettingGroup;
  /** BACKFILL_OFF_PEAK takes it from a profile. */
  readonly isPace?: boolean;
  readonly kind: Kind<Settings[K]>;
  /** The value if the variable is not set. */
  readonly fallback: Settings[K];
  /** The same as text, if the value is not clear by itself; without it, null is shown as "none". */
  readonly fallbackText?: string;
  /** One line. */
  readonly help: string;
}

export const REFUSED: Parsed<never> = { problem: "" };

const WHOLE_NUMBER = /^(?:0|-?[1-9]\d*)$/;

export function quoteHeld(text: string): string {
  return `"${escapeForLog(text, 80)}"`;
}

/** Decimal digits only: no sign but minus, no exponent, no leading zeros. */
export function integer(min: number, max: number): Kind<number> {
  return {
    takes: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const value = WHOLE_NUMBER.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? { value } : REFUSED;
    },
    show: (value) => value,
    showHeld: quoteHeld,
  };
}

export const boolean: Kind<boolean> = {
  takes: "true or false",
  parse: (text) => (text === "true" || text === "false" ? { value: text === "true" } : REFUSED),
  show: (value) => value,
  showHeld: quoteHeld,
};

export function choice<T extends string>(values: readonly T[]): Kind<T> {
  return {
    takes: `one of ${values.join(", ")}`,
    parse: (text) => {
      const value = values.find((candidate) => candidate === text);
      return value === undefined ? REFUSED : { value };
    },
    show: (value) => value,
    showHeld: quoteHeld,
  };
}

/** Text that matches a pattern. */
export function matching(takes: string, pattern: RegExp): Kind<string> {
  return {
    takes,
    parse: (text) => (pattern.test(text) ? { value: text } : REFUSED),
    show: (value) => escapeForLog(value),
    showHeld: quoteHeld,
  };
}

/**
 * A path. Text that only a shell would replace is refused: from a file or a service it arrives unchanged and would become a
 * folder of that name.
 */
export const folder: Kind<string> = {
  ...matching("a folder", /^\P{Cc}+$/u),
  parse: (text) => {
    if (/\p{Cc}/u.test(text)) return REFUSED;
    if (text.startsWith("~")) return { problem: "~ is replaced by a shell only: write the whole path" };
    if (/\$\{?\w|%\w+%/.test(text)) return { problem: "variables are not replaced here: write the whole path" };
    return { value: text };
  },
};

/** Hides an address: status and logs, which people share, only say whether there is one. */
export function withheld(kind: Kind<string>): Kind<string> {
  return { ...kind, show: () => "(set)" };
}

/** Also accepts "not set", which is then the default. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return { ...kind, show: (value) => (value === null ? null : kind.show(value)) };
}
