/** Writes the statement of a view over one collection: the common key columns, the view's own columns, and the times. */

export interface ViewColumns {
  readonly name: string;
  readonly collection: string;
  /** The view's own columns. They come between the key columns and the times. */
  readonly columns: readonly string[];
  /** The FROM items that make several rows of one record. Left out: one row for each record. */
  readonly items?: string;
  /** A condition for the records that the view shows. */
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
