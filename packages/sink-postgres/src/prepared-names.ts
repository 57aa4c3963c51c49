/**
 * Statements that the server parses and plans once for a connection. Of a batch of 5 or 50 rows, planning takes more than a third of
 * the server's time.
 *
 * A pooler in transaction mode that does not know prepared statements gives the next transaction another session, in which ours are
 * missing (26000). Then this process prepares nothing any more, and the batch is tried again at once. A name is a digest of its SQL,
 * so that a statement which another process has left in a shared session is never another one.
 */
import { createHash } from "node:crypto";
import { StatementError } from "./sink-error.ts";

/** The parts of a statement that count here. */
interface Statement {
  readonly sql: string;
  readonly isPrepared?: boolean;
}

/** Of one connection. */
export interface PreparedNames {
  of(statement: Statement): { readonly name: string; readonly isParsed: boolean };
  /** After a round trip without an error. After an error it is not known what was parsed, and it is parsed again. */
  wereParsed(statements: readonly Statement[]): void;
  /** The error of a round trip. One that only says that a prepared statement is missing can be tried again. */
  explain(error: unknown): unknown;
}

const NO_SUCH_STATEMENT = "26000";
const UNNAMED = { name: "", isParsed: false };

/** One for each database: where one connection cannot keep statements, none can. */
export function createPreparedNames(): () => PreparedNames {
  let isPossible = true;

  return () => {
    const parsed = new Set<string>();
    /** The round trip that is under way uses a name. Another connection may find out meanwhile that none can be used. */
    let isNamed = false;
    return {
      of({ sql, isPrepared = false }) {
        if (!isPrepared || !isPossible) return UNNAMED;
        isNamed = true;
        return { name: nameOf(sql), isParsed: parsed.has(sql) };
      },
      wereParsed(statements) {
        isNamed = false;
        if (!isPossible) return;
        for (const { sql, isPrepared = false } of statements) if (isPrepared) parsed.add(sql);
      },
      explain(error) {
        const wasNamed = isNamed;
        isNamed = false;
        if (!(wasNamed && error instanceof StatementError && error.sqlState === NO_SUCH_STATEMENT)) return error;
        isPossible = false;
        return new StatementError(error.message, error.sqlState, { cause: error, verdict: "again" });
      },
    };
  };
}

/** The session did not have a statement that was prepared before. The same round trip passes the next time, because nothing is prepared then. */
export function isUnprepared(error: unknown): boolean {
  return error instanceof StatementError && error.sqlState === NO_SUCH_STATEMENT && error.verdict === "again";
}

const names = new Map<string, string>();

function nameOf(sql: string): string {
  const known = names.get(sql);
  if (known !== undefined) return known;
  const name = `firehose_${createHash("sha256").update(sql).digest("hex").slice(0, 32)}`;
  names.set(sql, name);
  return name;
}
