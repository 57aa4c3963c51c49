/**
 * Stores the version of the layout in each item. This program reads its own version and the one before, and writes its own. It
 * neither reads nor changes items of a newer version. So a deploy can use the old items, and a roll-back does not damage new
 * ones.
 */
import { BrokenStateError, NewerItemError } from "../errors.ts";
import { absent, all, any, compare } from "./conditions.ts";
import { type Change, type Condition, type Item, nameOf, type Table } from "./table.ts";

/** Rises with every change of a layout that the version before cannot read. Items without a version are the oldest and count as 0. */
export const ITEM_VERSION = 3;
const VERSION = "v";
const IS_OURS: Condition = any(absent(VERSION), compare(VERSION, "<=", ITEM_VERSION));

/**
 * Reads @throw NewerItemError; an item of a newer version fails the condition of every change.
 * Writes @throw BrokenStateError where a number is not finite, or one that is added is not whole.
 */
export function versioned(table: Table): Table {
  return {
    async get(key) {
      const item = await table.get(key);
      return item === null ? null : readable(item);
    },
    getMany: async (keys) => (await table.getMany(keys)).map((item) => (item === null ? null : readable(item))),
    async put(key, item, condition) {
      assertFinite(item);
      return table.put(key, { ...item, [VERSION]: ITEM_VERSION }, withinReach(condition));
    },
    async update(key, change, condition) {
      assertFinite(change.set ?? {});
      assertWhole(change.add ?? {});
      return table.update(key, { ...change, set: { ...change.set, [VERSION]: ITEM_VERSION } }, withinReach(condition));
    },
    delete: (key, condition) => table.delete(key, condition),
    deleteMany: (keys) => table.deleteMany(keys),
    query: async (range) => (await table.query(range)).map(readable),
  };
}

function readable(item: Item): Item {
  const version = item[VERSION];
  if (typeof version === "number" && version > ITEM_VERSION) throw new NewerItemError(nameOf(item), version);
  return item;
}

function withinReach(condition: Condition | undefined): Condition {
  return condition === undefined ? IS_OURS : all(condition, IS_OURS);
}

function assertFinite(values: NonNullable<Change["set"]>): void {
  for (const [name, value] of Object.entries(values)) {
    const parts: readonly unknown[] = isMap(value) ? Object.values(value) : [value];
    if (parts.some((part) => typeof part === "number" && !Number.isFinite(part)))
      throw new BrokenStateError(`${name}: ${JSON.stringify(value)} cannot be stored`);
  }
}

function isMap(value: unknown): value is Readonly<Record<string, number | string>> {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

function assertWhole(numbers: Readonly<Record<string, number>>): void {
  for (const [name, by] of Object.entries(numbers))
    if (!Number.isSafeInteger(by)) throw new BrokenStateError(`${name}: ${by} cannot be added, only whole numbers can`);
}
