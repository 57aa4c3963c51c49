/** The sink on Postgres: one pool, the batches and the health check that share it, and the check of the schema. */
import type { Clock } from "@firehose-backfill/core/clock";
import { applyBatch } from "./apply.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./connection.ts";
import { createHealthCheck } from "./health.ts";
import { nameOf } from "./database-url.ts";
import { beginLocked } from "./run-lock.ts";
import { checkSchemaVersion } from "./schema/version.ts";
import { beforeTransaction, PostgresError, toSinkError } from "./sink-error.ts";
import type { ProductionHealth } from "@firehose-backfill/sink/production-health";
import type { ApplyOptions, Sink } from "@firehose-backfill/sink/sink";

export interface SinkOptions extends DatabaseOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** null: production's health is not checked. */
  readonly throttleQuery: string | null;
  readonly timeouts?: Partial<SinkTimeouts> | undefined;
}

export interface SinkTimeouts {
  /** If a transaction sends nothing for this long, the server ends it and releases its lock. */
  readonly idleInTransactionMs: number;
  /** The limit for one statement of a batch. */
  readonly statementMs: number;
  /** The limit for waiting for another transaction's row. */
  readonly lockMs: number;
  /** Time since a batch began, after which a deadlock or an unavailable lock is not tried again, but waited for. */
  readonly retryForMs: number;
}

export interface PostgresSink extends Sink, ProductionHealth {
  /** Shared by all batches. */
  readonly database: Database;
}

const TIMEOUTS: SinkTimeouts = { idleInTransactionMs: 15_000, statementMs: 50_000, lockMs: 5000, retryForMs: 8000 };

const NO_SUCH_TABLE: ReadonlySet<string> = new Set(["42P01", "3F000"]);

/** One of our tables is checked when the transaction opens: if it is missing, all are. */
function explainOpening(error: unknown, databaseName: string): PostgresError {
  const sink = beforeTransaction(error);
  if (sink.sqlState === null || !NO_SUCH_TABLE.has(sink.sqlState)) return sink;
  const fields = { kind: sink.kind, sqlState: sink.sqlState };
  const message = `the schema "firehose" is gone from ${databaseName} (${sink.message}): restore it and resume, or start --new, which makes it anew`;
  return new PostgresError(message, fields, { cause: sink });
}

/** Does not connect yet. The schema must exist (migrate()); the first batch checks it. @throws DatabaseUrlError */
export function createSink(options: SinkOptions): PostgresSink {
  const { clock, random, throttleQuery } = options;
  const database = openDatabase(options);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const databaseName = nameOf(database.target);
  let schemaChecked = false;

  function openingOf({ lock: { name, maxConcurrent } }: ApplyOptions) {
    return beginLocked({
      paceId: name,
      maxConcurrent,
      start: Math.floor(random() * maxConcurrent),
      idleInTransactionTimeoutMs: timeouts.idleInTransactionMs,
      statementTimeoutMs: timeouts.statementMs,
      lockTimeoutMs: timeouts.lockMs,
    });
  }

  return {
    database,
    async apply(batch, rows, how) {
      let isOpen = false;
      try {
        if (!schemaChecked) {
          await database.use([], (session) => checkSchemaVersion(session, timeouts.lockMs));
          schemaChecked = true;
        }
        const opening = () => openingOf(how);
        return await database.use(opening(), (session, opened) => {
          isOpen = true;
          const deps = { session, clock, random, opening, databaseName, retryForMs: timeouts.retryForMs };
          return applyBatch(deps, { batch, rows, ...how }, opened);
        });
      } catch (error) {
        throw isOpen ? toSinkError(error) : explainOpening(error, databaseName);
      }
    },
    health: createHealthCheck({ database, clock, throttleQuery }),
    pool: () => database.pool(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
