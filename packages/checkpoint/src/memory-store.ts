/**
 * The CheckpointStore in memory, for simulations and tests: each call is one step that nothing comes between, and cheap
 * enough for millions. What it holds and refuses is what dynamo-store.ts holds and refuses; one suite says so of both.
 */
import { type BeforeCall, withBeforeCall } from "./before-call.ts";
import { ledgerMethods } from "./memory/ledger.ts";
import { noteMethods } from "./memory/notes.ts";
import { runMethods } from "./memory/runs.ts";
import { newState } from "./memory/state.ts";
import { windowMethods } from "./memory/windows.ts";
import type { CheckpointStore } from "./store.ts";

export interface MemoryStoreOptions {
  /** Runs before each call, which does nothing where it throws: the store is away. */
  readonly beforeCall?: BeforeCall;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): CheckpointStore {
  const state = newState();
  const store: CheckpointStore = {
    ...runMethods(state),
    ...windowMethods(state),
    ...ledgerMethods(state),
    ...noteMethods(state),
  };
  return options.beforeCall === undefined ? store : withBeforeCall(store, options.beforeCall);
}
