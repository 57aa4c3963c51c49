/**
 * What an error of Postgres asks of us, by its SQLSTATE alone: messages are translated and reworded, codes are not.
 * Classes: https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
import type { SinkErrorKind } from "./types.ts";

/** `data`: one row's fault, bisect. `again`: roll back and retry at once. The rest: thrown as that kind. */
export type Verdict = "data" | "again" | SinkErrorKind;

/** Whole codes come before classes. */
const CODES: Readonly<Record<string, Verdict>> = {
  "40001": "again", // serialization_failure
  "40P01": "again", // deadlock_detected
  "55P03": "again", // lock_not_available
  "25006": "service", // read_only_sql_transaction: a failover, or a full disk at some hosts
  "25P03": "service", // idle_in_transaction_session_timeout: we were frozen
};

const CLASSES: Readonly<Record<string, Verdict>> = {
  "22": "data", // data exception
  "23": "data", // integrity constraint violation
  "54": "data", // program limit exceeded: an index key of more than 2,704 bytes
  "08": "service", // connection exception
  "53": "service", // insufficient resources: disk full, too many connections
  "57": "service", // operator intervention: shutdown, statement time-out
  "0A": "broken", // feature not supported
  "28": "broken", // invalid authorization
  "3D": "broken", // no such database
  "3F": "broken", // no such schema
  "42": "broken", // syntax error, missing table, missing privilege
};

export function classifySqlState(sqlState: string): Verdict {
  return CODES[sqlState] ?? CLASSES[sqlState.slice(0, 2)] ?? "attempt";
}
