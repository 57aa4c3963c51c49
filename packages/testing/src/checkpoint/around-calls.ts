/** A table with code around each of its calls: for faults, and for the order of simulated processes. */
import type { Table } from "../../../checkpoint/src/table/table.ts";

export type AroundCall = <T>(name: keyof Table, call: () => Promise<T>) => Promise<T>;

export function aroundCalls(table: Table, around: AroundCall): Table {
  return {
    get: (key) => around("get", () => table.get(key)),
    getMany: (keys) => around("getMany", () => table.getMany(keys)),
    put: (key, item, condition) => around("put", () => table.put(key, item, condition)),
    update: (key, change, condition) => around("update", () => table.update(key, change, condition)),
    delete: (key, condition) => around("delete", () => table.delete(key, condition)),
    deleteMany: (keys) => around("deleteMany", () => table.deleteMany(keys)),
    query: (range) => around("query", () => table.query(range)),
  };
}
