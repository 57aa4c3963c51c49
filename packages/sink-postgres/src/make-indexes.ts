/** Creates sets of optional indexes, one after the other, while batches are being applied. */
import type { MadeIndexes } from "@firehose-backfill/sink/optional-indexes";
import { type DatabaseOptions, openDatabase, type Session } from "./connection.ts";
import { INDEX_SETS, type OptionalIndex } from "./schema/optional-indexes.ts";
import { toSinkError } from "./sink-error.ts";

/** An index on a large table takes hours. */
const ROUND_TRIP_TIMEOUT_MS = 48 * 3_600_000;

/** Existing indexes stay as they are. @throws SinkError, and Error for a set that does not exist */
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

/** If creating an index was interrupted, an invalid index stays: every write updates it, and no query uses it. So it is created again. */
async function makeOne(session: Session, { name, sql }: OptionalIndex): Promise<boolean> {
  const [found] = await session.run([
    { sql: "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", values: [`firehose.${name}`] },
  ]);
  const isValid = found?.rows[0]?.[0];
  if (isValid === "t") return false;
  // Each statement has its own round trip. Several would be one transaction, in which CONCURRENTLY is not allowed.
  if (isValid === "f") await session.run([{ sql: `DROP INDEX CONCURRENTLY firehose.${name}` }]);
  await session.run([{ sql }]);
  return true;
}
