/** The store on a table in memory, for simulations and tests of what is above it. */
import { createStore } from "./create-store.ts";
import type { CheckpointStore } from "./store.ts";
import { aroundCalls } from "./table/around-calls.ts";
import { createMemoryTable } from "./table/memory-table.ts";
import type { Table } from "./table/table.ts";

export interface MemoryStoreOptions {
  /** Runs before each call of the table, which does nothing where it throws: the table is away. */
  readonly beforeCall?: (name: keyof Table) => void | Promise<void>;
}

export function createMemoryStore({ beforeCall }: MemoryStoreOptions = {}): CheckpointStore {
  const table = createMemoryTable();
  if (beforeCall === undefined) return createStore(table);
  return createStore(
    aroundCalls(table, async (name, call) => {
      await beforeCall(name);
      return call();
    }),
  );
}
