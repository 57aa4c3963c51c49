/** The sink on Postgres: one pool, the batches and the health check that share it, and the check of the schema. */
import type { Clock } from "@firehose-backfill/core/clock";
import { applyBatch } from "./apply.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./connection.ts";
import { createHealthCheck } from "./health.ts";
import { beginLocked } from "./run-lock.ts";
import { checkSchemaVersion } from "./schema/version.ts";
import { toSinkError } from "./sink-error.ts";
import type { ApplyRequest, Sink } from "./types.ts";

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
}

export interface PostgresSink extends Sink {
  /** For countDead() and listDead(): they share the pool. */
  readonly database: Database;
}

const TIMEOUTS: SinkTimeouts = { idleInTransactionMs: 15_000, statementMs: 50_000, lockMs: 5000 };

/** Connects to nothing yet. The schema must be there (migrate()); the first batch looks. @throws DatabaseUrlError */
export function createSink(options: SinkOptions): PostgresSink {
  const { clock, random, throttleQuery } = options;
  const database = openDatabase(options);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  let schemaChecked = false;

  function openingOf({ lockRunId, maxConcurrent }: ApplyRequest) {
    return beginLocked({
      runId: lockRunId,
      maxConcurrent,
      start: Math.floor(random() * maxConcurrent),
      idleInTransactionTimeoutMs: timeouts.idleInTransactionMs,
      statementTimeoutMs: timeouts.statementMs,
      lockTimeoutMs: timeouts.lockMs,
    });
  }

  return {
    database,
    async apply(request) {
      try {
        if (!schemaChecked) {
          await database.use([], checkSchemaVersion);
          schemaChecked = true;
        }
        const opening = () => openingOf(request);
        return await database.use(opening(), (session, opened) =>
          applyBatch({ session, clock, random, opening }, request, opened),
        );
      } catch (error) {
        throw toSinkError(error);
      }
    },
    health: createHealthCheck({ database, clock, throttleQuery }),
    pool: () => database.pool(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
