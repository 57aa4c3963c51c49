/**
 * The pace item: a Pace as attributes. Every reserved slot changes it, so it stays under 2 KB: texts are shortened, lists are
 * limited and packed. Values that conditions read are separate attributes; the rest is JSON.
 */
import { THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import { PROFILE_NAMES, type ProfileName, type SettingSource } from "@firehose-backfill/core/config/settings";
import { boundTunes, readTunes } from "../bounds.ts";
import type { OffPeakPace, Pace, SeenSettings, Sources } from "../pace.ts";
import type { Attributes, Item } from "../table/table.ts";
import {
  each,
  given,
  json,
  part,
  readBytes,
  readJson,
  readNumber,
  readNumberOrNull,
  readOneOf,
  readTextOrNull,
} from "./attributes.ts";

/** The attributes for these fields of a pace; null removes one. Fields that are not given are left out. */
export function paceAttributes(pace: Partial<Pace>): Attributes {
  const { waiting } = pace;
  return {
    ...given({
      profile: pace.profile,
      backOffReason: pace.backOffReason,
      waitingFor: part(waiting, "for"),
      waitingSinceMs: part(waiting, "sinceMs"),
      plannedDueMs: pace.plannedDueMs,
      paceEpoch: pace.paceVersion,
      backOff: pace.backOff,
      backOffAtMs: pace.backOffAtMs,
      memoryPauses: pace.memoryPauses,
      lastMemoryPauseAtMs: pace.lastMemoryPauseAtMs,
      tunes: pace.tunes === undefined ? undefined : boundTunes(pace.tunes).bytes,
    }),
    ...each(json, {
      throttle: pace.throttle,
      sources: pace.sources === undefined ? undefined : packSources(pace.sources),
      offPeak: pace.offPeak == null ? pace.offPeak : packOffPeak(pace.offPeak),
      seen: pace.seen == null ? pace.seen : packSeen(pace.seen),
    }),
  };
}

/** @throws BrokenStateError if it holds no pace */
export function readPace(item: Item, paceId: string): Pace {
  const waitingFor = readTextOrNull(item, "waitingFor");
  return {
    paceId,
    profile: readOneOf(item, "profile", PROFILE_NAMES),
    throttle: readJson<Pace["throttle"]>(item, "throttle"),
    sources: unpackSources(readJson<PackedSources>(item, "sources")),
    offPeak: item["offPeak"] === undefined ? null : unpackOffPeak(readJson<PackedOffPeak>(item, "offPeak")),
    seen: item["seen"] === undefined ? null : unpackSeen(readJson<PackedSeen>(item, "seen")),
    tunes: readTunes(readBytes(item, "tunes")),
    plannedDueMs: readNumber(item, "plannedDueMs"),
    paceVersion: readNumber(item, "paceEpoch"),
    backOff: readNumber(item, "backOff"),
    backOffAtMs: readNumber(item, "backOffAtMs"),
    backOffReason: readTextOrNull(item, "backOffReason"),
    waiting: waitingFor === null ? null : { for: waitingFor, sinceMs: readNumber(item, "waitingSinceMs") },
    memoryPauses: readNumber(item, "memoryPauses"),
    lastMemoryPauseAtMs: readNumberOrNull(item, "lastMemoryPauseAtMs"),
  };
}

const SOURCES = [
  "default",
  "profile",
  "environment",
  "flag",
  "event",
  "run",
  "tune",
  "off-peak",
] as const satisfies SettingSource[];

export type PackedSources = Partial<Record<SettingSource, string[]>>;

/** Grouped by source: a dozen settings usually have two or three sources, and their names are shorter than pairs. */
export function packSources(sources: Sources): PackedSources {
  const grouped: PackedSources = {};
  for (const [name, source] of Object.entries(sources)) (grouped[source] ??= []).push(name);
  return grouped;
}

export function unpackSources(grouped: PackedSources): Sources {
  return Object.fromEntries(SOURCES.flatMap((source) => (grouped[source] ?? []).map((name) => [name, source])));
}

type PackedOffPeak = [ProfileName, ProfileName, number, number, number, PackedSources];

function packOffPeak({ profile, own, ownSources }: OffPeakPace): PackedOffPeak {
  return [profile, own.profile, own.batchSize, own.batchDelayMs, own.maxConcurrent, packSources(ownSources)];
}

function unpackOffPeak([profile, own, batchSize, batchDelayMs, maxConcurrent, sources]: PackedOffPeak): OffPeakPace {
  return {
    profile,
    own: { profile: own, batchSize, batchDelayMs, maxConcurrent },
    ownSources: unpackSources(sources),
  };
}

/** Stored by position, so the order of these never changes. A new setting comes after them. */
const SEEN_THROTTLE = [
  "batchSize",
  "batchDelayMs",
  "maxConcurrent",
  "maxMemoryMb",
  "useIdle",
  "dbPoolSize",
  "memoryCheckInterval",
] as const satisfies (keyof SeenSettings["throttle"])[];
const SEEN_KEYS: readonly (keyof SeenSettings["throttle"])[] = [...new Set([...SEEN_THROTTLE, ...THROTTLE_KEYS])];

/** Without names, which are longer than the values. null: it was not given. */
type PackedSeen = [ProfileName | null, string, ...(number | boolean | null)[]];

function packSeen({ profile, scopeHash, throttle }: SeenSettings): PackedSeen {
  return [profile, scopeHash, ...SEEN_KEYS.map((key) => throttle[key] ?? null)];
}

function unpackSeen([profile, scopeHash, ...values]: PackedSeen): SeenSettings {
  const named = SEEN_KEYS.map((key, index) => [key, values[index] ?? null] as const);
  return { profile, scopeHash, throttle: Object.fromEntries(named.filter(([, value]) => value !== null)) };
}
