/** The CheckpointStore on one DynamoDB table. Where things are in it: dynamo/keys.ts; how it is made: create-table.ts. */
import { randomBytes } from "node:crypto";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type BeforeCall, withBeforeCall } from "./before-call.ts";
import { controlMethods } from "./dynamo/control.ts";
import { foldMethods } from "./dynamo/fold.ts";
import { leaseMethods } from "./dynamo/lease.ts";
import { ledgerMethods } from "./dynamo/ledger.ts";
import { noteMethods } from "./dynamo/notes.ts";
import { paceMethods } from "./dynamo/pace.ts";
import { runMethods } from "./dynamo/runs.ts";
import { sweep, type SweepDeps } from "./dynamo/sweep.ts";
import { openTable } from "./dynamo/table.ts";
import { windowMethods } from "./dynamo/windows.ts";
import type { CheckpointStore } from "./store.ts";

export interface DynamoStoreOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** The table's TTL is on, on the attribute `expiresAt`; the sweep then leaves plain entries to it. false unless told. */
  readonly hasTtl?: boolean;
  /** Decides nothing but when items expire. */
  readonly now?: () => number;
  /** Short, and unlike any other. */
  readonly newId?: () => string;
  readonly beforeCall?: BeforeCall;
}

/** Every method @throws TableError when DynamoDB does not answer; it says whether that may pass. */
export function createDynamoStore(options: DynamoStoreOptions): CheckpointStore {
  const deps: SweepDeps = {
    table: openTable(options.client, options.table),
    hasTtl: options.hasTtl ?? false,
    now: options.now ?? Date.now,
    newId: options.newId ?? (() => randomBytes(6).toString("base64url")),
  };
  const store: CheckpointStore = {
    ...runMethods(deps),
    ...controlMethods(deps),
    ...leaseMethods(deps),
    ...paceMethods(deps),
    ...windowMethods(deps),
    ...foldMethods(deps),
    ...ledgerMethods(deps),
    ...noteMethods(deps),
    sweep: (run) => sweep(deps, run.runId),
  };
  return options.beforeCall === undefined ? store : withBeforeCall(store, options.beforeCall);
}
