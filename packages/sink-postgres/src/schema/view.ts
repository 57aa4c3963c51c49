/** How a view over one collection is written: the same key columns and times around the columns of its own. */

export interface ViewColumns {
  readonly name: string;
  readonly collection: string;
  /** Between the key columns and the times. */
  readonly columns: readonly string[];
  /** Rows that it makes of one record. Left out: one row a record. */
  readonly items?: string;
  /** Records that the view leaves out. */
  readonly where?: string;
}

const URI = `'at://' || did || '/' || collection || '/' || rkey`;
const CREATED = `firehose.to_time(record->>'createdAt') AS created_at`;

export function viewStatement({ name, collection, columns, items, where }: ViewColumns): string {
  const filter = `collection = '${collection}'${where === undefined ? "" : ` AND ${where}`}`;
  const from = `firehose.live_records AS r${items === undefined ? "" : `, ${items}`}`;
  return `CREATE VIEW firehose.${name} AS
    SELECT ${[`${URI} AS uri`, "did", "rkey", "cid", ...columns, CREATED, "indexed_at", "seq"].join(", ")}
    FROM ${from} WHERE ${filter}`;
}
