/**
 * The run item: a Run as attributes. It stays under 4 KB, because every change of it is billed by its size: texts are
 * shortened, lists are bounded and packed. What conditions look at are attributes of their own; the rest is JSON.
 */
import { PROFILE_NAMES, type ProfileName, type SettingSource } from "@firehose-backfill/core/config/settings";
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import { boundTunes, readTunes } from "../bounds.ts";
import type { OffPeakPace, Run, SeenSettings, TickReport } from "../run.ts";
import type { Attributes, Item, Value } from "../table/table.ts";
import { readSource, readState, sourceAttributes, stateAttributes } from "./source-item.ts";
import {
  cursor,
  json,
  readBytes,
  readFlag,
  readJson,
  readNumber,
  readNumberOrNull,
  readNumbersOrNull,
  readOneOf,
  readCursorOrNull,
  readText,
  readTextOrNull,
} from "./attributes.ts";

/** The attributes that hold these fields of a run; null removes one. Fields that are not given are left out. */
export function attributesOf(run: Partial<Run>): Attributes {
  const { totals, waiting, lease, lastTick } = run;
  return {
    ...given({
      runId: run.runId,
      status: run.status,
      reason: run.reason,
      profile: run.profile,
      backOffReason: run.backOffReason,
      waitingFor: part(waiting, "for"),
      waitingSinceMs: part(waiting, "sinceMs"),
      db: run.database == null ? run.database : `${run.database.id} ${run.database.name}`,
      leaseOwner: part(lease, "owner"),
      leaseExpiresAtMs: part(lease, "expiresAtMs"),
      epoch: run.epoch,
      createdAtMs: run.createdAtMs,
      finishedAtMs: run.finishedAtMs,
      pausedMs: run.pausedMs,
      pausedSinceMs: run.pausedSinceMs,
      oldestKeptMs: run.keptSinceMs,
      registered: run.registered,
      folded: run.folded,
      received: totals?.received,
      processed: totals?.processed,
      stale: totals?.stale,
      dead: totals?.dead,
      ...deadReasonAttributes(totals?.deadReasons ?? {}),
      skipped: totals?.skipped,
      lastFinishedAtMs: run.lastFinishedAtMs,
      plannedDueMs: run.plannedDueMs,
      paceEpoch: run.paceEpoch,
      backOff: run.backOff,
      backOffAtMs: run.backOffAtMs,
      memoryPauses: run.memoryPauses,
      lastMemoryPauseAtMs: run.lastMemoryPauseAtMs,
      fence: run.fence,
      queueEmptySinceMs: run.queueEmptySinceMs,
      nextTickAtMs: run.nextTickAtMs,
      pausedNow: run.pausedNow,
      moved: run.sourceMoved,
      tunes: run.tunes === undefined ? undefined : boundTunes(run.tunes).bytes,
    }),
    ...sourceAttributes(run.source),
    ...stateAttributes(run.sourceState),
    ...each(cursor, {
      startPosition: run.startPosition,
      readerCursor: run.readerCursor,
      appliedCursor: run.appliedCursor,
      target: run.target,
    }),
    ...each(json, {
      throttle: run.throttle,
      sources: run.sources === undefined ? undefined : group(run.sources),
      offPeak: run.offPeak == null ? run.offPeak : packOffPeak(run.offPeak),
      seen: run.seen == null ? run.seen : packSeen(run.seen),
      start: run.start,
      end: run.end,
      lastTick,
    }),
  };
}

/** @throws BrokenStateError when it is not a run item */
export function readRun(item: Item): Run {
  const waitingFor = readTextOrNull(item, "waitingFor");
  const owner = readTextOrNull(item, "leaseOwner");
  const database = readTextOrNull(item, "db");
  return {
    runId: readText(item, "runId"),
    epoch: readNumber(item, "epoch"),
    status: readOneOf(item, "status", RUN_STATUSES),
    reason: readTextOrNull(item, "reason"),
    pausedNow: readFlag(item, "pausedNow"),
    source: readSource(item),
    database: database === null ? null : readDatabase(database),
    profile: readOneOf(item, "profile", PROFILE_NAMES),
    throttle: readJson<Run["throttle"]>(item, "throttle"),
    sources: ungroup(readJson<GroupedSources>(item, "sources")),
    offPeak: item["offPeak"] === undefined ? null : unpackOffPeak(readJson<PackedOffPeak>(item, "offPeak")),
    seen: item["seen"] === undefined ? null : unpackSeen(readJson<PackedSeen>(item, "seen")),
    start: readJson<StartPoint>(item, "start"),
    end: readJson<EndPoint>(item, "end"),
    createdAtMs: readNumber(item, "createdAtMs"),
    finishedAtMs: readNumberOrNull(item, "finishedAtMs"),
    pausedMs: readNumber(item, "pausedMs"),
    pausedSinceMs: readNumberOrNull(item, "pausedSinceMs"),
    startPosition: readCursorOrNull(item, "startPosition"),
    readerCursor: readCursorOrNull(item, "readerCursor"),
    appliedCursor: readCursorOrNull(item, "appliedCursor"),
    target: readCursorOrNull(item, "target"),
    sourceState: readState(item),
    sourceMoved: readFlag(item, "moved"),
    keptSinceMs: readNumberOrNull(item, "oldestKeptMs"),
    registered: readNumber(item, "registered"),
    folded: readNumber(item, "folded"),
    totals: {
      received: readNumber(item, "received"),
      processed: readNumber(item, "processed"),
      stale: readNumber(item, "stale"),
      dead: readNumber(item, "dead"),
      deadReasons: readDeadReasons(item),
      skipped: readNumbersOrNull(item, "skipped") ?? {},
    },
    lastFinishedAtMs: readNumberOrNull(item, "lastFinishedAtMs"),
    plannedDueMs: readNumber(item, "plannedDueMs"),
    paceEpoch: readNumber(item, "paceEpoch"),
    backOff: readNumber(item, "backOff"),
    backOffAtMs: readNumber(item, "backOffAtMs"),
    backOffReason: readTextOrNull(item, "backOffReason"),
    waiting: waitingFor === null ? null : { for: waitingFor, sinceMs: readNumber(item, "waitingSinceMs") },
    memoryPauses: readNumber(item, "memoryPauses"),
    lastMemoryPauseAtMs: readNumberOrNull(item, "lastMemoryPauseAtMs"),
    lease: owner === null ? null : { owner, expiresAtMs: readNumber(item, "leaseExpiresAtMs") },
    fence: readNumber(item, "fence"),
    lastTick: item["lastTick"] === undefined ? null : readJson<TickReport>(item, "lastTick"),
    queueEmptySinceMs: readNumberOrNull(item, "queueEmptySinceMs"),
    nextTickAtMs: readNumberOrNull(item, "nextTickAtMs"),
    tunes: readTunes(readBytes(item, "tunes")),
  };
}

/** An id holds no space. */
function readDatabase(stored: string): Run["database"] {
  const [id = "", ...name] = stored.split(" ");
  return { id, name: name.join(" ") };
}

/** An attribute a reason, so that a fold and a correction can add to one each at the same moment. */
export function deadReasonAttributes(deadReasons: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    // A point would make it a field of a map, in an expression.
    Object.entries(deadReasons).map(([reason, count]) => [DEAD_REASON + reason.replaceAll(".", "-"), count]),
  );
}

const DEAD_REASON = "dead:";

function readDeadReasons(item: Item): Record<string, number> {
  const names = Object.keys(item).filter((name) => name.startsWith(DEAD_REASON));
  const counts = names.map((name) => [name.slice(DEAD_REASON.length), readNumber(item, name)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

/** What is given; null stays null. */
function given(values: Readonly<Record<string, Value | null | undefined>>): Attributes {
  return each((value: Value) => value, values);
}

/** As given(), each value made an attribute by `make`. */
function each<T>(make: (value: T) => Value, values: Readonly<Record<string, T | null | undefined>>): Attributes {
  const attributes: Record<string, Value | null> = {};
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) attributes[name] = value === null ? null : make(value);
  return attributes;
}

/** A field of an object that may be null, and may not be given. */
function part<T extends object, Name extends keyof T>(
  whole: T | null | undefined,
  name: Name,
): T[Name] | null | undefined {
  return whole === null || whole === undefined ? whole : whole[name];
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

type GroupedSources = Partial<Record<SettingSource, string[]>>;

/** By source: a dozen settings mostly have two or three sources, and their names are shorter than pairs. */
function group(sources: Run["sources"]): GroupedSources {
  const grouped: GroupedSources = {};
  for (const [name, source] of Object.entries(sources)) (grouped[source] ??= []).push(name);
  return grouped;
}

function ungroup(grouped: GroupedSources): Run["sources"] {
  return Object.fromEntries(SOURCES.flatMap((source) => (grouped[source] ?? []).map((name) => [name, source])));
}

type PackedOffPeak = [ProfileName, ProfileName, number, number, number, GroupedSources];

function packOffPeak({ profile, own, ownSources }: OffPeakPace): PackedOffPeak {
  return [profile, own.profile, own.batchSize, own.batchDelayMs, own.maxConcurrent, group(ownSources)];
}

function unpackOffPeak([profile, own, batchSize, batchDelayMs, maxConcurrent, sources]: PackedOffPeak): OffPeakPace {
  return {
    profile,
    own: { profile: own, batchSize, batchDelayMs, maxConcurrent },
    ownSources: ungroup(sources),
  };
}

const SEEN_THROTTLE = [
  "batchSize",
  "batchDelayMs",
  "maxConcurrent",
  "maxMemoryMb",
  "useIdle",
  "dbPoolSize",
  "memoryCheckInterval",
] as const satisfies (keyof SeenSettings["throttle"])[];

/** Names are longer than values. null: it was not given. */
type PackedSeen = [ProfileName | null, string, ...(number | boolean | null)[]];

function packSeen({ profile, scopeHash, throttle }: SeenSettings): PackedSeen {
  return [profile, scopeHash, ...SEEN_THROTTLE.map((key) => throttle[key] ?? null)];
}

function unpackSeen([profile, scopeHash, ...values]: PackedSeen): SeenSettings {
  const named = SEEN_THROTTLE.map((key, index) => [key, values[index] ?? null] as const);
  return { profile, scopeHash, throttle: Object.fromEntries(named.filter(([, value]) => value !== null)) };
}
