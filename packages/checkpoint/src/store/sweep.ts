/**
 * Removes items of windows that are counted in the run item. The sweep goes through the ledger in the order of its keys and stores how far it came.
 * It also marks dead entries that are in the totals (`isCounted`). A batch of a dropped window, or of a read that was
 * never registered, is not in the totals, and a redrive of it corrects nothing.
 */
import type { RunItem } from "../run.ts";
import type { WindowItem } from "../window.ts";
import { absent, exists } from "../table/conditions.ts";
import type { Item } from "../table/table.ts";
import { json, readFlag, readJson, readText, readTextOrNull } from "./attributes.ts";
import { correct } from "./correction.ts";
import { LAST, ledgerKey, runKey, sweepKey, windowKey, windowPath } from "./keys.ts";
import { expiresAt, readEntry, type StoredEntry } from "./ledger-item.ts";
import { readRunItem } from "./run-item.ts";
import type { Deps } from "./run-updates.ts";
import { readWindow } from "./windows.ts";

const ENTRIES_A_CALL = 500;
const AT_ONCE = 8;
/** Keys of one request. */
const DELETES_A_CALL = 25;
/** How many past generations are stored. Only windows that the sweep has not reached yet need them. */
const GENERATIONS_REMEMBERED = 8;

export interface SweepDeps extends Deps {
  /** The table removes expired items by itself and free of charge, so the sweep leaves entries that nobody needs to it. */
  readonly hasTtl: boolean;
}

/** true: nothing is left to do. */
export async function sweep(deps: SweepDeps, runId: string): Promise<boolean> {
  const { table } = deps;
  const item = await table.get(runKey(runId));
  if (item === null) return true;
  const run = readRunItem(item);
  const end = windowPath(run.generation, run.appliedWindow) + LAST;
  const { pk, sk } = sweepKey(runId);
  // One Query reads both, because the item with the sweep's last position sorts before the windows.
  const items = await table.query({ pk, from: sk, to: `window#${end}` });
  const done = items.find((it) => readText(it, "sk") === sk);
  const windows = items.filter((it) => it !== done).map((it) => readWindow(runId, it));
  const from = done === undefined ? "0" : `${readText(done, "done")}!`;
  if (from > end && windows.length === 0) return true;

  const entries = from > end ? [] : await entriesBetween(deps, runId, from, end);
  const last = entries.at(-1);
  const isDone = entries.length < ENTRIES_A_CALL || last === undefined;
  const isCounted = countedBy(run, item, windows);
  const [applied, others] = partition(entries, isAppliedForGood);
  await inParallel(others, (entry) => sweepEntry(deps, entry, isCounted(entry)));
  if (!deps.hasTtl) await deleteAll(deps, applied);
  const doneTo = isDone ? end : readTextOfKey(last);
  await table.put(sweepKey(runId), { done: doneTo });
  // A window's item is removed last, because it says which entries belong to the window.
  const finished = windows.filter(({ generation, number }) => windowPath(generation, number) + LAST <= doneTo);
  await inParallel(finished, (window) => table.delete(windowKey(window)));
  return isDone;
}

export async function sweepToTheEnd(deps: SweepDeps, runId: string): Promise<void> {
  while (!(await sweep(deps, runId)));
}

/** newGeneration stores this: for each of the last generations the applied window at its end, newest first. */
export function generationEndsAfter(item: Item, run: RunItem): { readonly epochEnds: ReturnType<typeof json> } {
  return { epochEnds: json([run.appliedWindow, ...generationEnds(item)].slice(0, GENERATIONS_REMEMBERED)) };
}

function generationEnds(item: Item): number[] {
  return readTextOrNull(item, "epochEnds") === null ? [] : readJson<number[]>(item, "epochEnds");
}

/** Whether an entry's first outcome is in the totals. */
function countedBy(run: RunItem, item: Item, windows: readonly WindowItem[]): (entry: StoredEntry) => boolean {
  const ends = generationEnds(item);
  const fences = new Map(windows.map(({ generation, number, fence }) => [windowPath(generation, number), fence]));
  return ({ key: { generation, window, fence } }) => {
    const appliedWindow =
      generation === run.generation ? run.appliedWindow : (ends[run.generation - 1 - generation] ?? 0);
    return window <= appliedWindow && fences.get(windowPath(generation, window)) === fence;
  };
}

/** No writer changes it any more, and no sweep keeps it, so it can be removed without a condition, many with one request. */
function isAppliedForGood({ outcome, before, correctionPending, isCounted }: StoredEntry): boolean {
  return outcome === "applied" && before === null && !correctionPending && !isCounted;
}

async function deleteAll({ table }: SweepDeps, entries: readonly StoredEntry[]): Promise<void> {
  const calls = Array.from({ length: Math.ceil(entries.length / DELETES_A_CALL) }, (_, call) =>
    entries.slice(call * DELETES_A_CALL, (call + 1) * DELETES_A_CALL).map(({ key }) => ledgerKey(key)),
  );
  await inParallel(calls, (keys) => table.deleteMany(keys));
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [first: readonly T[], second: readonly T[]] {
  return [items.filter((item) => isFirst(item)), items.filter((item) => !isFirst(item))];
}

async function sweepEntry(deps: SweepDeps, entry: StoredEntry, isCounted: boolean): Promise<void> {
  const { table } = deps;
  const key = ledgerKey(entry.key);
  if (isCounted && (entry.outcome === "dead" || entry.correctionPending)) {
    const expires = expiresAt(deps.now(), "dead");
    const after = await table.update(key, { set: { isCounted: true, expiresAt: expires } }, exists("outcome"));
    // The entry is read after `isCounted` is set. A redrive before that is seen here; a later one corrects the totals itself.
    if (after !== null && readFlag(after, "correctionPending")) await correct(deps, entry.key);
  } else if (!deps.hasTtl) {
    // The condition protects an entry that another sweep has kept meanwhile.
    await table.delete(key, absent("isCounted"));
  }
}

async function entriesBetween({ table }: SweepDeps, runId: string, from: string, to: string): Promise<StoredEntry[]> {
  const { pk } = ledgerKey({ runId, generation: 0, window: 0, fence: 0, number: 0 });
  const items = await table.query({ pk, from, to, limit: ENTRIES_A_CALL });
  return items.map((item) => readEntry(runId, item));
}

function readTextOfKey(entry: StoredEntry): string {
  return ledgerKey(entry.key).sk;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE)
    await Promise.all(items.slice(start, start + AT_ONCE).map(work));
}
