/**
 * A run and the pace that it names, read with one request. Which pace that is stands in the run item; the store asks for
 * the pace that the last run had, and a second time where it was another one.
 *
 * Reads change nothing, so that the status page needs no right to write. What is found unfinished (a pace that is still in
 * its run item) is noted, and the next write to that pace finishes it first: carry-over.ts.
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

/** What a store remembers of what it has read. */
export class Known {
  /** There is a register of runs: nobody looks at the pointer of before any more. */
  hasRegister = false;
  /** The last one. */
  paceId = DEFAULT_PACE_ID;
  /** By pace: the run whose item still holds it. */
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

/** The run item, too: it holds more than a Run says. */
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

/** As many as are there, in the order of the ids; with the pace that they share, with one request. At most 50. */
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
    // Those of another pace than the last: each is read once.
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

/** `found`: a pace that was read at the same time, and may be another one. */
async function paceOfRun({ table, known }: PaceReading, run: RunItem, item: Item, found: Item | null): Promise<Pace> {
  const { runId, paceId } = run;
  known.paceId = paceId;
  const read = () => table.get(paceKey(paceId));
  let pace = found?.["pk"] === paceKey(paceId).pk ? found : await read();
  if (!holdsPace(item)) {
    known.inRunItem.delete(paceId);
    // One request is not one moment: the pace may have been read before it was written, and the run item after that.
    if (pace === null || (!isFinished(run.status) && isOlder(pace, item))) pace = await read();
    if (pace === null) throw new BrokenStateError(`pace ${paceId} of run ${runId} is not there`);
    return readPace(pace, paceId);
  }
  const isMoved = pace !== null && isBegunFor(pace, runId);
  // A run that is over does not take its pace back from the one after it.
  const isLeftTo = pace !== null && isFinished(run.status);
  if (!isLeftTo) known.inRunItem.set(paceId, runId);
  return readPace(pace !== null && (isMoved || isLeftTo) ? pace : item, paceId);
}

export function withPace(run: RunItem, pace: Pace): Run {
  const sources = { ...splitSources(run.sources).ofScope, ...pace.sources };
  // A finished run waits for nothing, and no consumer would end its waiting.
  return { ...run, ...pace, sources, waiting: isFinished(run.status) ? null : pace.waiting };
}

/** Whether the pace of the run is still in its own item: where a run begins, and where a program of before left it. */
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
