/** Makes sets of optional indexes, one after the other, while batches go on being applied. */
import type { MadeIndexes } from "@firehose-backfill/sink/optional-indexes";
import { type DatabaseOptions, openDatabase, type Session } from "./connection.ts";
import { INDEX_SETS, type OptionalIndex } from "./schema/optional-indexes.ts";
import { toSinkError } from "./sink-error.ts";

/** A large table takes hours. */
const ROUND_TRIP_TIMEOUT_MS = 48 * 3_600_000;

/** What is there is left as it is. @throws SinkError, and Error for a set that there is not */
export async function makeIndexes(
  options: Omit<DatabaseOptions, "poolSize" | "roundTripTimeoutMs" | "useTimeoutMs">,
  sets: readonly string[],
): Promise<MadeIndexes> {
  const wanted = sets.flatMap((set) => {
    const known = INDEX_SETS[set];
    if (known === undefined) throw new RangeError(`there is no set of indexes "${set}"`);
    return known.indexes;
  });
  await using database = openDatabase({ ...options, poolSize: 1, roundTripTimeoutMs: ROUND_TRIP_TIMEOUT_MS });
  const made: string[] = [];
  const there: string[] = [];
  try {
    for (const index of wanted) {
      const isMade = await database.use([], (session) => makeOne(session, index));
      (isMade ? made : there).push(index.name);
    }
  } catch (error) {
    throw toSinkError(error);
  }
  return { made, there };
}

/** One that was cut off while it was made stays there, is written to, and serves nobody: it is made anew. */
async function makeOne(session: Session, { name, sql }: OptionalIndex): Promise<boolean> {
  const [found] = await session.run([
    { sql: "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", values: [`firehose.${name}`] },
  ]);
  const isValid = found?.rows[0]?.[0];
  if (isValid === "t") return false;
  // Each alone in its round trip: several would be one transaction, in which this is not allowed.
  if (isValid === "f") await session.run([{ sql: `DROP INDEX CONCURRENTLY firehose.${name}` }]);
  await session.run([{ sql }]);
  return true;
}
