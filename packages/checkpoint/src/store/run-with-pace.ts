/**
 * Reads a run and its pace with one request. The run item names the pace, so it is not known before the read. The store asks
 * for the pace that the last run had, and reads again if the run names another one.
 *
 * Reads change nothing, so that the status page needs no right to write. If a read finds a pace that is still in its run item,
 * that is noted, and the next write to the pace moves it out first (carry-over.ts).
 */
import { isFinished } from "@firehose-backfill/core/run-state";
import { BrokenStateError } from "../errors.ts";
import { DEFAULT_PACE_ID, type Pace } from "../pace.ts";
import type { Run, RunItem } from "../run.ts";
import { splitSources } from "../run-values.ts";
import type { Item, Table } from "../table/table.ts";
import { readNumberOrNull, readTextOrNull } from "./attributes.ts";
import { paceKey, runKey } from "./keys.ts";
import { readPace } from "./pace-item.ts";
import { readRunItem } from "./run-item.ts";

/** What a store remembers from earlier reads. */
export class Known {
  /** The register of runs exists, so the `pointer` of older programs need not be read any more. */
  hasRegister = false;
  /** The pace that was read last. */
  paceId = DEFAULT_PACE_ID;
  /** For each pace that is still in a run item: which run that is. */
  readonly inRunItem = new Map<string, string>();
}

export interface PaceReading {
  readonly table: Table;
  readonly known: Known;
}

/** null: no such run. */
export async function getRun(reading: PaceReading, runId: string): Promise<Run | null> {
  return (await getRunAndItem(reading, runId))?.run ?? null;
}

/** Like getRun(), with the run item, because the item contains more than a Run. */
export async function getRunAndItem(
  reading: PaceReading,
  runId: string,
): Promise<{ readonly run: Run; readonly pace: Pace; readonly item: Item } | null> {
  const [item = null, found = null] = await reading.table.getMany([runKey(runId), paceKey(reading.known.paceId)]);
  if (item === null) return null;
  const run = readRunItem(item);
  const pace = await paceOfRun(reading, run, item, found);
  return { run: withPace(run, pace), pace, item };
}

/** The runs that exist, in the order of the ids. One request reads them and the pace that they share. At most 50. */
export async function getRuns(reading: PaceReading, runIds: readonly string[]): Promise<readonly Run[]> {
  if (runIds.length === 0) return [];
  const wanted = [...new Set(runIds)];
  const lastKey = paceKey(reading.known.paceId);
  const [found = null, ...items] = await reading.table.getMany([lastKey, ...wanted.map((runId) => runKey(runId))]);
  const paces = new Map(found === null ? [] : [[lastKey.pk, found]]);
  const runs: Run[] = [];
  for (const item of items) {
    if (item === null) continue;
    const run = readRunItem(item);
    const key = paceKey(run.paceId);
    // If a run has another pace than the last one, that pace is read once.
    const there = paces.get(key.pk) ?? (await reading.table.get(key));
    if (there !== null) paces.set(key.pk, there);
    runs.push(withPace(run, await paceOfRun(reading, run, item, there)));
  }
  return runs;
}

/** The run of this item, with its pace. */
export async function joinPace(reading: PaceReading, item: Item): Promise<Run> {
  const run = readRunItem(item);
  return withPace(run, await paceOfRun(reading, run, item, null));
}

/** `found`: the pace that the same request read. It may be another run's pace. */
async function paceOfRun({ table, known }: PaceReading, run: RunItem, item: Item, found: Item | null): Promise<Pace> {
  const { runId, paceId } = run;
  known.paceId = paceId;
  const read = () => table.get(paceKey(paceId));
  let pace = found?.["pk"] === paceKey(paceId).pk ? found : await read();
  if (!holdsPace(item)) {
    known.inRunItem.delete(paceId);
    // One request does not read both items at the same moment. The pace may have been read before a change, and the run item
    // after it.
    if (pace === null || (!isFinished(run.status) && isOlder(pace, item))) pace = await read();
    if (pace === null) throw new BrokenStateError(`pace ${paceId} of run ${runId} is not there`);
    return readPace(pace, paceId);
  }
  const isMoved = pace !== null && isBegunFor(pace, runId);
  // If the run is finished, the pace may belong to a later run already, and stays there.
  const isLeftTo = pace !== null && isFinished(run.status);
  if (!isLeftTo) known.inRunItem.set(paceId, runId);
  return readPace(pace !== null && (isMoved || isLeftTo) ? pace : item, paceId);
}

export function withPace(run: RunItem, pace: Pace): Run {
  const sources = { ...splitSources(run.sources).ofScope, ...pace.sources };
  // A finished run does not wait, and no consumer would clear the wait later.
  return { ...run, ...pace, sources, waiting: isFinished(run.status) ? null : pace.waiting };
}

/** Whether the pace is still in the run item. That is so while a run begins, and where an older program has left it there. */
export function holdsPace(item: Item): boolean {
  return item["plannedDueMs"] !== undefined;
}

/** Whether the pace was read before this run began it or joined it. */
function isOlder(pace: Item, run: Item): boolean {
  return (readNumberOrNull(pace, "paceEpoch") ?? 0) < (readNumberOrNull(run, "paceSince") ?? 0);
}

export function isBegunFor(pace: Item, runId: string): boolean {
  return readTextOrNull(pace, "begunFor") === runId;
}
