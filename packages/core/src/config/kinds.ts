/**
 * What a setting is and what it can be: how its text is read, what it takes in words, and how it is shown.
 * Strict on purpose: "abc" that becomes NaN switches a throttle off, and an empty string that becomes 0 does too.
 */
import { escapeForLog } from "../log-lines.ts";
import type { SettingKey, Settings } from "./settings.ts";

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

export interface ParseContext {
  /** For `@file` values. null: a file cannot be named here. */
  readonly readFile: ((path: string) => string) | null;
}

/** As Snapshot.settings has it. */
export type ShownValue = string | number | boolean | null;

export interface Kind<T> {
  /** Continues "it takes …". */
  readonly takes: string;
  /** `text` is trimmed and not empty. A `problem` says what is wrong with it, or is empty where `takes` says it all. */
  parse(text: string, context: ParseContext): Parsed<T>;
  /** Fit for status and logs: escaped, and without secrets. */
  show(value: T): ShownValue;
  /** What a wrong value held, fit for a problem: escaped, and without secrets. */
  showHeld(text: string): string;
}

/**
 * `throttle`: `tune` may change it while a run is running. `profile`: names a whole set of those.
 * `scope`: what a run is about; fixed until it is finished. `deployment`: where the program runs; a control event cannot set it.
 */
export type SettingGroup = "profile" | "throttle" | "scope" | "deployment";

export interface SettingDefinition<K extends SettingKey = SettingKey> {
  /** Of the environment variable. */
  readonly name: string;
  readonly key: K;
  readonly group: SettingGroup;
  /** BACKFILL_OFF_PEAK takes it from a profile. */
  readonly isPace?: boolean;
  readonly kind: Kind<Settings[K]>;
  /** What an unset variable means. */
  readonly fallback: Settings[K];
  /** The same for a person, where the value does not say it; for null it is "none" unless something else stands here. */
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

/** Text of one form. */
export function matching(takes: string, pattern: RegExp): Kind<string> {
  return {
    takes,
    parse: (text) => (pattern.test(text) ? { value: text } : REFUSED),
    show: (value) => escapeForLog(value),
    showHeld: quoteHeld,
  };
}

/**
 * A path. What only a shell replaces is refused: from a file or a service it arrives as it is written, and would become a
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

/** Somebody's address: status and logs, which people pass on, say only that there is one. */
export function withheld(kind: Kind<string>): Kind<string> {
  return { ...kind, show: () => "(set)" };
}

/** The same, where nothing is a value too: the one that an unset variable has. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return { ...kind, show: (value) => (value === null ? null : kind.show(value)) };
}
