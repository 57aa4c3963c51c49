/** Many empty tables in one: each has a prefix of its own before the partition keys. AWS takes ten seconds to make a real one. */
import type { Item, Key, Table } from "../../packages/checkpoint/src/table/table.ts";

export function prefixedTable(table: Table, prefix: string): Table {
  const inside = <K extends { readonly pk: string }>(key: K): K => ({ ...key, pk: prefix + key.pk });
  const outside = ({ pk, ...item }: Item): Item => ({
    ...item,
    pk: typeof pk === "string" ? pk.slice(prefix.length) : "",
  });
  const orNull = (item: Item | null): Item | null => (item === null ? null : outside(item));
  return {
    get: async (key) => orNull(await table.get(inside(key))),
    getMany: async (keys: readonly Key[]) => (await table.getMany(keys.map(inside))).map(orNull),
    put: (key, item, condition) => table.put(inside(key), item, condition),
    update: async (key, change, condition) => orNull(await table.update(inside(key), change, condition)),
    delete: (key, condition) => table.delete(inside(key), condition),
    deleteMany: (keys) => table.deleteMany(keys.map(inside)),
    query: async (range) => (await table.query(inside(range))).map(outside),
  };
}
