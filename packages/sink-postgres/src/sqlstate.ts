/**
 * How we react to an error of Postgres, by its SQLSTATE and by where it was raised. Messages are translated and reworded, codes
 * are not. Classes: https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
import type { SinkErrorKind } from "@firehose-backfill/sink/sink-error";

/** `data`: one row caused it, so bisect. `again`: roll back and retry at once. The others are thrown with that kind. */
export type Verdict = "data" | "again" | SinkErrorKind;

export interface RaisedAt {
  /** FATAL or PANIC: the server, or a proxy before it, ends the session. */
  readonly endsSession: boolean;
  /** Raised while a function ran: a trigger of the user. Our own statements call no function that can fail. */
  readonly inFunction: boolean;
}

/** Complete codes are checked before classes. */
const CODES: Readonly<Record<string, Verdict>> = {
  "40001": "again", // serialization_failure
  "40P01": "again", // deadlock_detected
  "55P03": "again", // lock_not_available
  "25P02": "attempt", // in_failed_sql_transaction: an error of ours, unless the transaction was never ours
  "40002": "attempt", // transaction_integrity_constraint_violation: a rule that the rows break together
};

/** Every class of the appendix. A code of another class is user-defined (RAISE ... USING ERRCODE). */
const CLASSES: Readonly<Record<string, Verdict>> = {
  // The database, or a proxy before it, is down or cannot work now: wait. The batch is not the cause.
  "08": "service", // connection exception, also of a proxy (08P01), and of a foreign server that a trigger writes to
  "25": "service", // transaction state: read only after a failover, ended by a time-out, or left failed by a pooler
  "26": "service", // no such prepared statement: a pooler has parted a round trip
  "34": "service", // no such cursor: the same
  "40": "service", // rolled back for a reason that has nothing to do with the rows
  "53": "service", // insufficient resources: disk full, memory, too many connections
  "55": "service", // object in use, or not in the state that is needed
  "57": "service", // operator intervention: shutdown, statement time-out, a database that starts
  "58": "service", // system error outside Postgres: input and output, a file that is missing
  "72": "service", // snapshot too old
  F0: "service", // configuration file
  XX: "service", // internal error: poolers and proxies answer it when the database is away; a broken page or index

  // The value cannot be written: find the row, keep it as a dead event, continue.
  "09": "data", // triggered action exception
  "22": "data", // data exception
  "23": "data", // integrity constraint violation
  "27": "data", // triggered data change violation: a BEFORE trigger changes the row that is written
  "38": "data", // external routine exception: a trigger in Python, Perl, Tcl
  "39": "data", // external routine invocation exception
  "44": "data", // WITH CHECK OPTION violation
  "54": "data", // program limit exceeded: an index key of more than 2,704 bytes
  HV: "data", // a foreign table that a trigger writes to
  P0: "data", // PL/pgSQL: RAISE, no data found, ASSERT

  // Schema, permissions or server are wrong, and waiting does not help: the run fails.
  "0A": "broken", // feature not supported
  "0L": "broken", // invalid grantor
  "0P": "broken", // invalid role
  "28": "broken", // invalid authorization
  "3D": "broken", // no such database
  "3F": "broken", // no such schema
  "42": "broken", // syntax error, missing table, missing privilege

  // A server should never answer this to our statements: a bug of ours. It counts as an attempt, and the batch is kept.
  "00": "attempt", // success
  "01": "attempt", // warning
  "02": "attempt", // no data
  "03": "attempt", // statement not yet complete
  "0B": "attempt", // invalid transaction initiation
  "0F": "attempt", // locator exception
  "0Z": "attempt", // diagnostics exception
  "10": "attempt", // XQuery error
  "20": "attempt", // case not found
  "21": "attempt", // cardinality violation: a key twice in one statement
  "24": "attempt", // invalid cursor state
  "2B": "attempt", // dependent privilege descriptors
  "2D": "attempt", // invalid transaction termination
  "2F": "attempt", // SQL routine exception
  "3B": "attempt", // savepoint exception
};

const NOWHERE: RaisedAt = { endsSession: false, inFunction: false };

export function classifySqlState(sqlState: string, raisedAt: RaisedAt = NOWHERE): Verdict {
  const verdict = CODES[sqlState] ?? CLASSES[sqlState.slice(0, 2)] ?? "data";
  if (verdict === "service" || verdict === "again") return verdict;
  // No row makes a server end the session.
  if (raisedAt.endsSession) return verdict === "broken" ? "broken" : "service";
  return raisedAt.inFunction ? "data" : verdict;
}

/** The class is in the appendix; for the test that checks that none is missing. */
export const KNOWN_CLASSES: readonly string[] = Object.keys(CLASSES);
