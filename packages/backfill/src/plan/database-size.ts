/** Estimates the size of the tables. The figures are from Postgres 18 with the bundled sample; a test checks them on a real server. */

/** Bytes of a row: its header, DID, collection, key, CID, revision, sequence number and time. */
const ROW_BYTES = 200;
/** Bytes of its entry in the primary key: DID, collection and key again, in pages that are not full. */
const KEY_BYTES = 115;
/** The size of jsonb divided by the record's own bytes: links become text, and each value has a header. */
const JSONB_PER_CBOR_BYTE = 1.35;

/** Bytes in `firehose.records`, including indexes. `recordBytes`: of all records together, as DAG-CBOR. */
export function databaseBytes({ rows, recordBytes }: { readonly rows: number; readonly recordBytes: number }): number {
  return rows * (ROW_BYTES + KEY_BYTES) + recordBytes * JSONB_PER_CBOR_BYTE;
}
