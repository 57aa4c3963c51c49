/** Parses what `tune` gets from the command line or a control event: throttle settings only. */
import { ConfigError } from "../errors.ts";
import { definitionNamed, definitionOf, SETTINGS } from "./definitions.ts";
import { THROTTLE_KEYS } from "./groups.ts";
import type { SettingDefinition } from "./kinds.ts";
import { unknownName, wrongValue } from "./problems.ts";
import { PROFILES } from "./profiles.ts";
import type { ProfileName, ThrottleSettings } from "./settings.ts";

export interface Tune {
  /** null: the profile stays. */
  readonly profile: ProfileName | null;
  /** All changes: the settings of a new profile, overridden by the single settings. */
  readonly throttle: Partial<ThrottleSettings>;
}

const TUNABLE = SETTINGS.filter(({ group }) => group === "throttle" || group === "profile");
/** Of the environment variables that `tune` takes. */
export const TUNABLE_NAMES: readonly string[] = TUNABLE.map(({ name }) => name);

/**
 * `values` are named as in the environment and hold texts, numbers or booleans.
 * @throws ConfigError with every problem; an empty `tune` is a problem, too.
 */
export function parseTune(values: Readonly<Record<string, unknown>>): Tune {
  const problems = Object.keys(values).flatMap((name) => {
    const definition = definitionNamed(name);
    if (definition === null) return [notKnown(name)];
    return TUNABLE.includes(definition) ? [] : [`${name} cannot be tuned: ${whyNot(definition)}`];
  });
  if (Object.keys(values).length === 0) problems.push(`nothing to tune; it takes ${namesOf(TUNABLE)}`);

  const profile = read(definitionOf("profile"), values, problems);
  const throttle: Partial<ThrottleSettings> = profile === null ? {} : { ...PROFILES[profile] };
  for (const key of THROTTLE_KEYS) {
    const value = read(definitionOf(key), values, problems);
    if (value !== null) Object.assign(throttle, { [key]: value });
  }

  if (problems.length > 0) throw new ConfigError(problems);
  return { profile, throttle };
}

function notKnown(name: string): string {
  const problem = unknownName(name, TUNABLE);
  return problem.endsWith("?") ? problem : `${problem}; tune takes ${namesOf(TUNABLE)}`;
}

function whyNot({ group }: SettingDefinition): string {
  return group === "scope"
    ? "it is fixed until the run is finished. For another value begin a new run: start --new cancels this one"
    : "it belongs to the program, not to a run. Set it in the environment and start the program again (on AWS: deploy again)";
}

/** null: the value is absent, or invalid and already among the problems. */
function read<K extends keyof ThrottleSettings | "profile">(
  definition: SettingDefinition<K>,
  values: Readonly<Record<string, unknown>>,
  problems: string[],
): SettingDefinition<K>["fallback"] | null {
  const held = values[definition.name];
  if (held === undefined) return null;
  const isPlain = typeof held === "string" || typeof held === "number" || typeof held === "boolean";
  const text = isPlain ? String(held).trim() : JSON.stringify(held);
  const parsed = definition.kind.parse(text, { readFile: null });
  if ("value" in parsed) return parsed.value;
  problems.push(wrongValue(definition, text, parsed.problem));
  return null;
}

function namesOf(definitions: readonly SettingDefinition[]): string {
  return definitions.map(({ name }) => name).join(", ");
}
