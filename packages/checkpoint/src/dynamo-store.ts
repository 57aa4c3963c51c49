/** The store on a DynamoDB table. How the table is made: create-table.ts. */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createStore, type StoreOptions } from "./create-store.ts";
import type { CheckpointStore } from "./store.ts";
import { createDynamoTable } from "./table/dynamo-table.ts";

export interface DynamoStoreOptions extends StoreOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
}

export function createDynamoStore({ client, table, ...options }: DynamoStoreOptions): CheckpointStore {
  return createStore(createDynamoTable(client, table), options);
}
