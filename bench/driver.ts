/** Connections of the sink's driver as its users open them: without our pool, without a pipeline, one query at a time. */
import type { Client } from "@neondatabase/serverless";
import { clientConfig, clientFor } from "@firehose-backfill/sink-postgres/client";
import { parseDatabaseUrl } from "@firehose-backfill/sink-postgres/database-url";

export async function connectDriver(databaseUrl: string): Promise<Client> {
  const options = { target: parseDatabaseUrl(databaseUrl), connectTimeoutMs: 10_000 };
  const client = new (clientFor(options))(clientConfig(options));
  await client.connect();
  return client;
}
