/** The command `dead` where this process can reach the database itself. It begins no run and needs no running process. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import type { DeadEvent, DeadEvents, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import { borrowDatabase } from "./borrow-database.ts";
import { openSink } from "./open-sink.ts";

export type { DeadEvent, ListDeadOptions };

export type DeadHere = Pick<DeadEvents, "list" | "countByReason"> & AsyncDisposable;

/** @throws NoDatabaseError, and an error that says why the embedded database cannot be started */
export async function openDeadHere(
  settings: Pick<Settings, "databaseUrl" | "dataDir">,
  signal: AbortSignal,
): Promise<DeadHere> {
  const stack = new AsyncDisposableStack();
  try {
    const { databaseUrl } = stack.use(await borrowDatabase(settings, signal));
    const dead = stack.use(openSink(databaseUrl, { signal }).openDeadEvents());
    return {
      list: (options) => dead.list(options),
      countByReason: (runId) => dead.countByReason(runId),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}
