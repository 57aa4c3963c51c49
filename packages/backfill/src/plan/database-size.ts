/** How large the tables get. Figures of Postgres 18 with the bundled sample's records, checked by a test on a real server. */

/** Of a row: its header, DID, collection, key, CID, revision, sequence number and time. */
const ROW_BYTES = 200;
/** Of its entry in the primary key: DID, collection and key once more, in pages that are not full. */
const KEY_BYTES = 115;
/** jsonb against the record's own bytes: links become text, and each value has a header. */
const JSONB_PER_CBOR_BYTE = 1.35;

/** Bytes in `firehose.records`, indexes included. `recordBytes`: of all records together, as DAG-CBOR. */
export function databaseBytes({ rows, recordBytes }: { readonly rows: number; readonly recordBytes: number }): number {
  return rows * (ROW_BYTES + KEY_BYTES) + recordBytes * JSONB_PER_CBOR_BYTE;
}
