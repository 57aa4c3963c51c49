/**
 * Changes the run item. An update never creates a run item: every condition requires that the
 * item exists.
 *
 * A write whose success must be known carries a mark: an id that is new with each call, in a separate attribute. The SDK
 * may retry a write that succeeded, and the condition of the retry fails. If the stored mark is ours, it was such a retry.
 */
import { OPEN_STATUSES } from "../run-values.ts";
import type { RunItem } from "../run.ts";
import { all, exists, oneOf } from "../table/conditions.ts";
import type { Change, Condition, Item, Key, Table } from "../table/table.ts";
import { readTextOrNull } from "./attributes.ts";
import { runKey } from "./keys.ts";
import { attributesOf, readRunItem } from "./run-item.ts";
import type { PaceReading } from "./run-with-pace.ts";

export interface Deps extends PaceReading {
  /** Returns a new, unique id at each call. */
  readonly newId: () => string;
  /** Milliseconds since the epoch; only decides when items expire. */
  readonly now: () => number;
}

/** The condition that a run is not finished. */
export const IS_OPEN: Condition = oneOf("status", OPEN_STATUSES);

/** Without its pace. */
export async function getRunItem(table: Table, runId: string): Promise<RunItem | null> {
  const item = await table.get(runKey(runId));
  return item === null ? null : readRunItem(item);
}

/** The item after the change; null: the condition does not hold, or there is no such run. */
export function updateRunItem(
  table: Table,
  runId: string,
  change: Change & { readonly fields?: Partial<RunItem> },
  ...conditions: readonly Condition[]
): Promise<Item | null> {
  const { fields = {}, set = {}, ...rest } = change;
  return table.update(
    runKey(runId),
    { ...rest, set: { ...attributesOf(fields), ...set } },
    all(exists("pk"), ...conditions),
  );
}

/** Like updateRunItem(), once: if our change is already stored, it counts as made. */
export function updateRunOnce(
  deps: Deps,
  runId: string,
  mark: "statusMark" | "epochMark" | "foldMark",
  { fields = {}, set = {}, ...rest }: Change & { readonly fields?: Partial<RunItem> },
  ...conditions: readonly Condition[]
): Promise<Item | null> {
  return updateOnce(deps, runKey(runId), mark, { ...rest, set: { ...attributesOf(fields), ...set } }, ...conditions);
}

/** The item exists. `mark`: one attribute for each kind of write, to distinguish our write from another one. */
export async function updateOnce(
  { table, newId }: Deps,
  key: Key,
  mark: string,
  change: Change,
  ...conditions: readonly Condition[]
): Promise<Item | null> {
  const id = newId();
  const set = { ...change.set, [mark]: id };
  const after = await table.update(key, { ...change, set }, all(exists("pk"), ...conditions));
  if (after !== null) return after;
  const found = await table.get(key);
  return found !== null && readTextOrNull(found, mark) === id ? found : null;
}
