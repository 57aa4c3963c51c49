/** Identifies this database: by the id that the migrations stored in it, and by its address for messages. */
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { nameOf } from "./database-url.ts";
import { toSinkError } from "./sink-error.ts";

/** `id` null: it has no schema of ours, or one from before ids existed. Changes nothing. @throws SinkError, DatabaseUrlError */
export async function readIdentity(
  options: Omit<DatabaseOptions, "poolSize">,
): Promise<Omit<DatabaseIdentity, "id"> & { readonly id: string | null }> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  const name = nameOf(database.target);
  try {
    return await database.use([{ sql: HAS_ID }], async (session, [has]) => {
      if (has?.rows[0]?.[0] !== "t") return { id: null, name };
      const [found] = await session.run([{ sql: "SELECT database_id FROM firehose.schema_version WHERE version = 1" }]);
      return { id: found?.rows[0]?.[0] ?? null, name };
    });
  } catch (error) {
    throw toSinkError(error);
  }
}

const HAS_ID = `
  SELECT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('firehose.schema_version') AND attname = 'database_id' AND NOT attisdropped)`;
