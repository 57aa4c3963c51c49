/** Emulators of DynamoDB, as servers that tests make tables on. */
import dynalite from "dynalite";
import { ensureTable } from "./create-table.ts";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoTable } from "../../../checkpoint/src/table/dynamo-table.ts";
import type { Table } from "../../../checkpoint/src/table/table.ts";

export interface TableServer extends AsyncDisposable {
  readonly endpoint: string;
  /** The name of a new, empty table. */
  readonly newTable: () => Promise<string>;
  /** A new, empty table. */
  readonly openTable: () => Promise<Table>;
}

/** In this process. */
export async function startDynalite(): Promise<TableServer> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("dynalite has no port");
  return tableServer(`http://127.0.0.1:${address.port}`, async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

export function tableServer(endpoint: string, stop: () => Promise<void>): TableServer {
  const client = createDynamoClient({ endpoint });
  let tables = 0;
  async function newTable(): Promise<string> {
    tables += 1;
    const name = `table-${tables}`;
    await ensureTable(client, name);
    return name;
  }
  return {
    endpoint,
    newTable,
    openTable: async () => createDynamoTable(client, await newTable()),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await stop();
    },
  };
}
