/**
 * What of a batch is felt: the same run with one thing of it left out or done otherwise. Most of them are not for production,
 * because they give up durability or data; they only show what the thing costs the neighbour.
 */
import { openTestDatabase } from "../test/support/query.ts";

export interface Variant {
  /** On our database, before the run begins. */
  readonly statements: readonly string[];
  /** Settings of the run at the pace `fast`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const OUR_TABLES = ["records", "repos", "dead_events"] as const;

export const VARIANTS = {
  /** As it is. */
  none: { statements: [] },
  /** Commits of the run do not wait for the WAL's flush, and cause none. */
  "asynchronous-commit": { statements: ["ALTER ROLE CURRENT_USER IN DATABASE postgres SET synchronous_commit = off"] },
  /** The first change of a page after a checkpoint writes no image of it, neither the run's nor the neighbour's. */
  "no-page-images": { statements: ["ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"] },
  /** Those images are compressed. A setting for the owner of the server. */
  "compressed-page-images": { statements: ["ALTER SYSTEM SET wal_compression = on", "SELECT pg_reload_conf()"] },
  /** No row of `repos` is written or locked. */
  "no-repos": {
    statements: [
      "CREATE FUNCTION bench.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
      "CREATE TRIGGER skip BEFORE INSERT ON firehose.repos FOR EACH ROW EXECUTE FUNCTION bench.skip()",
    ],
  },
  /** A batch of 50 as five of 10, spread over its slot. */
  "batches-of-10": { statements: [], settings: { BACKFILL_BATCH_SIZE: "10", BACKFILL_BATCH_DELAY_MS: "100" } },
  /** Each statement is planned anew. */
  "planned-anew": {
    statements: ["ALTER ROLE CURRENT_USER IN DATABASE postgres SET plan_cache_mode = force_custom_plan"],
  },
  /** Nothing of our tables is vacuumed or analyzed. */
  "no-autovacuum": {
    statements: OUR_TABLES.map((table) => `ALTER TABLE firehose.${table} SET (autovacuum_enabled = off)`),
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[];

/** Before the run connects, because what a role is given counts from its next connection. */
export async function prepareVariant({ statements }: Variant, databaseUrl: string): Promise<void> {
  await using database = await openTestDatabase(databaseUrl);
  for (const statement of statements) await database.query(statement, []);
}
