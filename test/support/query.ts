/** Plain queries for tests, on the sink's own driver: rows as objects. */
import { clientConfig, clientFor } from "@firehose-backfill/sink-postgres/client";
import { parseDatabaseUrl } from "@firehose-backfill/sink-postgres/database-url";
import type { Query } from "./compare.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly query: Query;
}

export async function openTestDatabase(databaseUrl: string): Promise<TestDatabase> {
  const options = { target: parseDatabaseUrl(databaseUrl), connectTimeoutMs: 30_000 };
  const Client = clientFor(options);
  const client = new Client(clientConfig(options));
  // If a test stops the server, this connection's error must not end the test's process.
  client.on("error", () => {});
  await client.connect();
  return {
    query: async (sql, values) => (await client.query(sql, [...values])).rows,
    [Symbol.asyncDispose]: () => client.end(),
  };
}
