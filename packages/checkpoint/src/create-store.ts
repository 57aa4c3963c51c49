/** The one CheckpointStore, on whatever table it is given. Where things are in it: store/keys.ts. */
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
  /** The table's TTL is on, on the attribute `expiresAt`; the sweep then leaves plain entries to it. false unless told. */
  readonly hasTtl?: boolean;
  /** Decides nothing but when items expire. */
  readonly now?: () => number;
  /** Short, and unlike any other. */
  readonly newId?: () => string;
}

/** Every method @throws TableError when the table does not answer; it says whether that may pass. */
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
