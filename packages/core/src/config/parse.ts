/**
 * Parses texts to a configuration, or to a list of all problems. Pure: the same texts give the same answer.
 */
import { ConfigError } from "../errors.ts";
import { definitionNamed, definitionOf, SETTINGS } from "./definitions.ts";
import type { ParseContext, SettingDefinition } from "./kinds.ts";
import { unknownName, wrongValue } from "./problems.ts";
import { PROFILES } from "./profiles.ts";
import { hasSeveralHosts, relayUrl } from "./relay-url.ts";
import type { RawConfig } from "./read-env.ts";
import type { Config, SettingKey, Settings, SettingSource } from "./settings.ts";

export interface Override {
  readonly source: "flag" | "event";
  /** By the names of the environment variables. */
  readonly values: RawConfig;
}

export interface ParseOptions {
  /** Each wins over the environment and over those before it. */
  readonly overrides?: readonly Override[];
  /** Reads `@file` values; an error that it throws becomes a problem. Never used for a control event. */
  readonly readFile?: (path: string) => string;
  /** A deployed program has no bundled sample, so RELAY_URL has to be set. */
  readonly deployed?: boolean;
}

/** A configuration that is being built. */
interface Draft {
  readonly settings: { -readonly [K in SettingKey]: Settings[K] };
  readonly sources: Record<SettingKey, SettingSource>;
}

/**
 * Reads the environment first, then each override. A profile sets all throttle settings of its own layer and of those below it;
 * single settings of its own layer and above override it. So a start event's `moderate` is moderate, whatever was deployed.
 *
 * @throws ConfigError with every problem.
 */
export function parseConfig(raw: RawConfig, options: ParseOptions = {}): Config {
  const draft = defaults();
  const problems: string[] = [];
  const readFile = options.readFile ?? null;
  const overrides = options.overrides ?? [];
  applyLayer(draft, raw, "environment", { readFile }, problems);
  for (const { source, values } of overrides) {
    applyLayer(draft, values, source, { readFile: source === "event" ? null : readFile }, problems);
  }

  if (hasSeveralHosts(draft.settings.relayUrl) && draft.settings.source !== "repos")
    problems.push("RELAY_URL names several hosts; that many are asked only with BACKFILL_SOURCE=repos: name one");
  if (options.deployed === true) problems.push(...unwishedHandles(draft));
  if (options.deployed === true) problems.push(...missingRelay(draft, [raw, ...overrides.map(({ values }) => values)]));
  if (problems.length > 0) throw new ConfigError(problems);
  return draft;
}

/** The deployed reader has no database, which alone knows whose handles are missing. */
function unwishedHandles({ settings }: Draft): readonly string[] {
  if (!settings.handles && settings.source !== "handles") return [];
  const name = settings.handles ? "BACKFILL_HANDLES=true" : "BACKFILL_SOURCE=handles";
  return [
    `${name} does not work where this is deployed: run DATABASE_URL=… npx firehose-backfill start --source handles on a machine that reaches the database`,
  ];
}

/** A deployed program has no sample. A wrong RELAY_URL is among the problems already. */
function missingRelay(draft: Draft, layers: readonly RawConfig[]): readonly string[] {
  const relay = definitionOf("relayUrl");
  if (draft.settings.source === "repos" && draft.settings.dids.length > 0) return [];
  if (draft.settings.source === "handles") return [];
  const isGiven = layers.some((values) => textOf(values, relay) !== "");
  const isSample = isGiven && draft.sources.relayUrl !== "default" && draft.settings.relayUrl === null;
  if (isGiven && !isSample) return [];
  return [`${relay.name} is ${isSample ? "sample" : "not set"}; where this is deployed it takes ${relayUrl.takes}`];
}

function defaults(): Draft {
  const settings = Object.fromEntries(SETTINGS.map(({ key, fallback }) => [key, fallback]));
  const sources = Object.fromEntries(SETTINGS.map(({ key }) => [key, "default"]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- SETTINGS has every key: its table's type says so
  return { settings, sources } as unknown as Draft;
}

function applyLayer(
  draft: Draft,
  values: RawConfig,
  source: "environment" | "flag" | "event",
  context: ParseContext,
  problems: string[],
): void {
  for (const name of Object.keys(values)) {
    if (definitionNamed(name) === null) problems.push(unknownName(name));
  }
  for (const definition of profileFirst(SETTINGS)) {
    const text = textOf(values, definition);
    if (text === "") continue;
    if (source === "event" && definition.group === "deployment") {
      problems.push(`${definition.name} is a setting of the deployment; a control event cannot set it`);
      continue;
    }
    const problem = assign(draft, definition, text, source, context);
    if (problem !== null) problems.push(problem);
  }
}

/** Empty if it is not set. */
function textOf(values: RawConfig, definition: SettingDefinition): string {
  return values[definition.name]?.trim() ?? "";
}

function profileFirst(definitions: readonly SettingDefinition[]): readonly SettingDefinition[] {
  return definitions.toSorted((left, right) => Number(right.group === "profile") - Number(left.group === "profile"));
}

/** Returns null if the value is valid. */
function assign<K extends SettingKey>(
  draft: Draft,
  definition: SettingDefinition<K>,
  text: string,
  source: SettingSource,
  context: ParseContext,
): string | null {
  const parsed = definition.kind.parse(text, context);
  if ("problem" in parsed) return wrongValue(definition, text, parsed.problem);
  draft.settings[definition.key] = parsed.value;
  draft.sources[definition.key] = source;
  if (definition.key === "profile") applyProfile(draft);
  return null;
}

function applyProfile(draft: Draft): void {
  const profile = PROFILES[draft.settings.profile];
  Object.assign(draft.settings, profile);
  for (const { key } of SETTINGS) {
    if (key in profile) draft.sources[key] = "profile";
  }
}
