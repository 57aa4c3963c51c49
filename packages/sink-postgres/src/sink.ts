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
  /** null: production's health is not asked for. */
  readonly throttleQuery: string | null;
  readonly timeouts?: Partial<SinkTimeouts> | undefined;
}

export interface SinkTimeouts {
  /** A transaction in which nothing is sent for so long is ended by the server, and its lock is free. */
  readonly idleInTransactionMs: number;
  /** One statement of a batch. */
  readonly statementMs: number;
  /** Waiting for another transaction's row. */
  readonly lockMs: number;
  /** Since a batch began: after it, a deadlock or a lock not had is not tried again but waited for. */
  readonly retryForMs: number;
}

export interface PostgresSink extends Sink, ProductionHealth {
  /** What the batches share. */
  readonly database: Database;
}

const TIMEOUTS: SinkTimeouts = { idleInTransactionMs: 15_000, statementMs: 50_000, lockMs: 5000, retryForMs: 8000 };

const NO_SUCH_TABLE: ReadonlySet<string> = new Set(["42P01", "3F000"]);

/** Our table is looked for as the transaction opens: where it is gone, all are. */
function explainOpening(error: unknown, databaseName: string): PostgresError {
  const sink = beforeTransaction(error);
  if (sink.sqlState === null || !NO_SUCH_TABLE.has(sink.sqlState)) return sink;
  const fields = { kind: sink.kind, sqlState: sink.sqlState };
  const message = `the schema "firehose" is gone from ${databaseName} (${sink.message}): restore it and resume, or start --new, which makes it anew`;
  return new PostgresError(message, fields, { cause: sink });
}

/** Connects to nothing yet. The schema must be there (migrate()); the first batch looks. @throws DatabaseUrlError */
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
