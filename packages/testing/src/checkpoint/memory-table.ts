/**
 * The table in memory, for simulations and tests of everything above it: the same answers and refusals as DynamoDB, but
 * immediately. Each call is one atomic step.
 */
import { TableError } from "@firehose-backfill/checkpoint/errors";
import { holds } from "./evaluate.ts";
import { refusalOfKey, refusalOfSize, refusalOfValues } from "./limits.ts";
import type { Attributes, Change, Item, Key, Table, Value } from "../../../checkpoint/src/table/table.ts";

/** Of DynamoDB, for one BatchWriteItem. */
const MOST_WRITES = 25;

interface Partition {
  /** In order. */
  readonly sortKeys: string[];
  readonly items: Map<string, Item>;
}

export function createMemoryTable(): Table {
  const partitions = new Map<string, Partition>();

  function find({ pk, sk }: Key): Item | null {
    return partitions.get(pk)?.items.get(sk) ?? null;
  }

  function store({ pk, sk }: Key, item: Item): void {
    const partition = partitions.get(pk) ?? { sortKeys: [], items: new Map<string, Item>() };
    partitions.set(pk, partition);
    if (!partition.items.has(sk)) partition.sortKeys.splice(placeOf(partition.sortKeys, sk), 0, sk);
    partition.items.set(sk, item);
  }

  function remove({ pk, sk }: Key): void {
    const partition = partitions.get(pk);
    if (partition?.items.delete(sk) === true) partition.sortKeys.splice(placeOf(partition.sortKeys, sk), 1);
  }

  return {
    async get(key) {
      refuse("get", refusalOfKey(key));
      const item = find(key);
      return item === null ? null : copyOf(item);
    },

    async getMany(keys) {
      refuseKeys("get", keys);
      return keys.map(find).map((item) => (item === null ? null : copyOf(item)));
    },

    async put(key, given, condition) {
      const item = copyOf({ ...given, ...key });
      refuse("put", refusalOfKey(key) ?? refusalOfValues(item) ?? refusalOfSize(item));
      if (condition !== undefined && !holds(condition, find(key))) return false;
      store(key, item);
      return true;
    },

    async update(key, change, condition) {
      refuse("update", refusalOfKey(key) ?? refusalOfChange(change));
      const before = find(key);
      if (condition !== undefined && !holds(condition, before)) return null;
      const after = changed(before ?? { pk: key.pk, sk: key.sk }, change);
      refuse("update", refusalOfSize(after));
      store(key, after);
      return copyOf(after);
    },

    async delete(key, condition) {
      refuse("delete", refusalOfKey(key));
      if (condition !== undefined && !holds(condition, find(key))) return false;
      remove(key);
      return true;
    },

    async deleteMany(keys) {
      refuseKeys("delete", keys);
      if (keys.length > MOST_WRITES) refuse("delete", `${keys.length} keys are more than one request takes`);
      for (const key of keys) remove(key);
    },

    async query({ pk, from, to, limit = Infinity }) {
      refuse("query", refusalOfKey({ pk, sk: from }) ?? refusalOfKey({ pk, sk: to }));
      if (from > to) refuse("query", `it begins at ${from}, after its end at ${to}`);
      const { sortKeys, items } = partitions.get(pk) ?? { sortKeys: [], items: new Map<string, Item>() };
      const found: Item[] = [];
      for (let at = placeOf(sortKeys, from); at < sortKeys.length && found.length < limit; at += 1) {
        const sk = sortKeys[at] ?? "";
        if (sk > to) break;
        const item = items.get(sk);
        if (item !== undefined) found.push(copyOf(item));
      }
      return found;
    },
  };
}

function refuseKeys(action: string, keys: readonly Key[]): void {
  for (const key of keys) refuse(action, refusalOfKey(key));
  if (new Set(keys.map(({ pk, sk }) => JSON.stringify([pk, sk]))).size < keys.length || keys.length === 0)
    refuse(action, "each key is named once, and one at least");
}

function refuse(action: string, because: string | null): void {
  if (because !== null) throw new TableError(action, { isRetryable: false, cause: new Error(because) });
}

function refusalOfChange({ set = {}, add = {} }: Change): string | null {
  for (const name of ["pk", "sk"])
    if (name in set || name in add) return `${name} is a part of the key, it cannot be changed`;
  const twice = Object.keys(add).find((name) => name in set);
  return twice === undefined ? refusalOfValues(set) : `${twice} is set and added to`;
}

function changed(before: Item, { set = {}, add = {} }: Change): Item {
  const after: Record<string, Value> = { ...before };
  for (const [name, value] of Object.entries<Attributes[string]>(set)) {
    if (value === null) delete after[name];
    else after[name] = copyOfValue(value);
  }
  for (const [name, by] of Object.entries(add)) {
    const value = after[name] ?? 0;
    if (typeof value === "number") after[name] = value + by;
    else refuse("update", `${name} is no number, nothing can be added to it`);
  }
  return after;
}

/** Copies values, so that stored and returned ones share nothing that can be changed. */
function copyOf(item: Item): Item {
  const copy: Record<string, Value> = { ...item };
  for (const [name, value] of Object.entries(copy)) if (typeof value !== "string") copy[name] = copyOfValue(value);
  return copy;
}

function copyOfValue(value: Value): Value {
  // DynamoDB has no -0.
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object") return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, typeof field === "number" ? field + 0 : field]),
  );
}

/** Its index among sorted keys, or where it would be. */
function placeOf(sortKeys: readonly string[], sk: string): number {
  let [low, high] = [0, sortKeys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sortKeys[middle] ?? "") < sk) low = middle + 1;
    else high = middle;
  }
  return low;
}
