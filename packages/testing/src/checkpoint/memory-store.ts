/** The store on a table in memory, for simulations and tests of the layers above it. */
import { createStore } from "../../../checkpoint/src/create-store.ts";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { aroundCalls } from "./around-calls.ts";
import { createMemoryTable } from "./memory-table.ts";
import type { Table } from "../../../checkpoint/src/table/table.ts";

export interface MemoryStoreOptions {
  /** Runs before each call of the table; if it throws, the call does nothing, as if the table were unavailable. */
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
