/**
 * Converts a run without its pace to the attributes of its item and back. The item stays below 4 KB, because DynamoDB bills
 * every change by the item's size: texts are shortened, lists are limited and packed. Values that conditions read are separate
 * attributes; the rest is JSON.
 */
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import type { RunItem, TickReport } from "../run.ts";
import { paceIdOf } from "../pace-id.ts";
import type { Attributes, Item } from "../table/table.ts";
import {
  progressFields,
  readProgress,
  readSource,
  readState,
  sourceAttributes,
  stateAttributes,
} from "./source-item.ts";
import {
  cursor,
  each,
  given,
  json,
  part,
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
import { type PackedSources, packSources, unpackSources } from "./pace-item.ts";

/** The attributes for these fields of a run; null removes one. Fields that are not given are left out. */
export function attributesOf(run: Partial<RunItem>): Attributes {
  const { totals, lease, lastTick } = run;
  return {
    ...given({
      runId: run.runId,
      name: run.name,
      paceId: run.paceId,
      status: run.status,
      reason: run.reason,
      db: run.database == null ? run.database : `${run.database.id} ${run.database.name}`,
      leaseOwner: part(lease, "owner"),
      leaseExpiresAtMs: part(lease, "expiresAtMs"),
      epoch: run.generation,
      createdAtMs: run.createdAtMs,
      finishedAtMs: run.finishedAtMs,
      pausedMs: run.pausedMs,
      pausedSinceMs: run.pausedSinceMs,
      oldestKeptMs: run.keptSinceMs,
      registered: run.registered,
      folded: run.appliedWindow,
      received: totals?.received,
      processed: totals?.processed,
      stale: totals?.stale,
      dead: totals?.dead,
      ...deadReasonAttributes(totals?.deadReasons ?? {}),
      skipped: totals?.skipped,
      lastFinishedAtMs: run.lastFinishedAtMs,
      fence: run.fence,
      queueEmptySinceMs: run.queueEmptySinceMs,
      quietSinceMs: part(run.quiet, "sinceMs"),
      quietLedger: part(run.quiet, "ledger"),
      nextTickAtMs: run.nextTickAtMs,
      pausedNow: run.pausedNow,
      moved: run.sourceMoved,
      progress: run.progress == null ? run.progress : progressFields(run.progress),
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
      sources: run.sources === undefined ? undefined : packSources(run.sources),
      start: run.start,
      end: run.end,
      lastTick,
    }),
  };
}

/** @throws BrokenStateError when it is not a run item */
export function readRunItem(item: Item): RunItem {
  const owner = readTextOrNull(item, "leaseOwner");
  const quietLedger = readTextOrNull(item, "quietLedger");
  const stored = readTextOrNull(item, "db");
  const database = stored === null ? null : readDatabase(stored);
  return {
    runId: readText(item, "runId"),
    name: readTextOrNull(item, "name"),
    paceId: readTextOrNull(item, "paceId") ?? paceIdOf(database?.id),
    generation: readNumber(item, "epoch"),
    status: readOneOf(item, "status", RUN_STATUSES),
    reason: readTextOrNull(item, "reason"),
    pausedNow: readFlag(item, "pausedNow"),
    source: readSource(item),
    database,
    sources: unpackSources(readJson<PackedSources>(item, "sources")),
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
    progress: readProgress(item),
    keptSinceMs: readNumberOrNull(item, "oldestKeptMs"),
    registered: readNumber(item, "registered"),
    appliedWindow: readNumber(item, "folded"),
    totals: {
      received: readNumber(item, "received"),
      processed: readNumber(item, "processed"),
      stale: readNumber(item, "stale"),
      dead: readNumber(item, "dead"),
      deadReasons: readDeadReasons(item),
      skipped: readNumbersOrNull(item, "skipped") ?? {},
    },
    lastFinishedAtMs: readNumberOrNull(item, "lastFinishedAtMs"),
    lease: owner === null ? null : { owner, expiresAtMs: readNumber(item, "leaseExpiresAtMs") },
    fence: readNumber(item, "fence"),
    lastTick: item["lastTick"] === undefined ? null : readJson<TickReport>(item, "lastTick"),
    queueEmptySinceMs: readNumberOrNull(item, "queueEmptySinceMs"),
    quiet: quietLedger === null ? null : { sinceMs: readNumber(item, "quietSinceMs"), ledger: quietLedger },
    nextTickAtMs: readNumberOrNull(item, "nextTickAtMs"),
  };
}

/** Ids contain no spaces. */
function readDatabase(stored: string): DatabaseIdentity {
  const [id = "", ...name] = stored.split(" ");
  return { id, name: name.join(" ") };
}

/** Each reason has its own attribute, so that a move of the applied cursor and a correction can add to different reasons at the same time. */
export function deadReasonAttributes(deadReasons: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    // In an expression, a point in the name would mean a field of a map.
    Object.entries(deadReasons).map(([reason, count]) => [DEAD_REASON + reason.replaceAll(".", "-"), count]),
  );
}

const DEAD_REASON = "dead:";

function readDeadReasons(item: Item): Record<string, number> {
  const names = Object.keys(item).filter((name) => name.startsWith(DEAD_REASON));
  const counts = names.map((name) => [name.slice(DEAD_REASON.length), readNumber(item, name)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}
