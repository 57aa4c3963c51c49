/** Creates the CheckpointStore on any table. store/keys.ts lists the keys of its items. */
import { randomBytes } from "node:crypto";
import type { CheckpointStore } from "./store.ts";
import { controlMethods } from "./store/control.ts";
import { moveAppliedMethods } from "./store/move-applied.ts";
import { leaseMethods } from "./store/lease.ts";
import { ledgerMethods } from "./store/ledger.ts";
import { noteMethods } from "./store/notes.ts";
import { paceMethods } from "./store/pace.ts";
import { resyncMethods } from "./store/resyncs.ts";
import { runMethods } from "./store/runs.ts";
import { Known } from "./store/run-with-pace.ts";
import { sweep, type SweepDeps } from "./store/sweep.ts";
import { windowMethods } from "./store/windows.ts";
import type { Table } from "./table/table.ts";
import { versioned } from "./table/versioned-table.ts";

export interface StoreOptions {
  /** Whether the table removes expired items by itself (TTL on `expiresAt`). If so, the sweep does not delete ordinary entries. Default: false. */
  readonly hasTtl?: boolean;
  /** Used only for the times at which items expire. */
  readonly now?: () => number;
  /** Returns a short text, different at each call. */
  readonly newId?: () => string;
}

/** Every method @throws TableError if the table does not answer. The error says whether a later call may succeed. */
export function createStore(table: Table, options: StoreOptions = {}): CheckpointStore {
  const deps: SweepDeps = {
    table: versioned(table),
    hasTtl: options.hasTtl ?? false,
    now: options.now ?? Date.now,
    known: new Known(),
    newId: options.newId ?? (() => randomBytes(6).toString("base64url")),
  };
  return {
    ...runMethods(deps),
    ...controlMethods(deps),
    ...leaseMethods(deps),
    ...paceMethods(deps),
    ...windowMethods(deps),
    ...moveAppliedMethods(deps),
    ...ledgerMethods(deps),
    ...noteMethods(deps),
    ...resyncMethods(deps),
    sweep: (run) => sweep(deps, run.runId),
  };
}
