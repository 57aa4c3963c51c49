/**
 * The embedded stack: starts the stand-ins that a run needs in parallel, each with its own folder inside the data folder
 * (`queue`, `table`, `postgres`, `relay`). If one cannot start, the others are stopped.
 */
import { join } from "node:path";
import { type Postgres, startPostgres } from "./postgres-server.ts";
import { type QueueServer, startQueueServer } from "./queue-server.ts";
import { type SampleRelay, startSampleRelay } from "./relay-server.ts";
import { startTableServer, type TableServer } from "./table-server.ts";

export const STAND_INS = ["queue", "table", "postgres", "relay"] as const;
export type StandIn = (typeof STAND_INS)[number];

export interface EmbeddedOptions {
  /** The caller has claimed it (data-dir.ts). */
  readonly dataDir: string;
  readonly need: Readonly<Record<StandIn, boolean>>;
  readonly signal?: AbortSignal;
}

export interface EmbeddedStack extends AsyncDisposable {
  /** null: not requested. */
  readonly queue: QueueServer | null;
  readonly table: TableServer | null;
  readonly postgres: Postgres | null;
  readonly relay: SampleRelay | null;
  /** The pids of the stand-ins that were started. */
  readonly pids: Readonly<Partial<Record<StandIn, number>>>;
  /** Resolves with the name of the first stand-in that is gone, even if it was disposed of. Never rejects. */
  readonly exited: Promise<StandIn>;
}

export interface Starters {
  readonly queue: (options: StartOptions) => Promise<QueueServer>;
  readonly table: (options: StartOptions) => Promise<TableServer>;
  readonly postgres: (options: StartOptions) => Promise<Postgres>;
  readonly relay: (options: StartOptions) => Promise<SampleRelay>;
}

interface StartOptions {
  readonly dataDir: string;
  readonly signal: AbortSignal;
}

/** A stand-in could not start; `cause` says why. None is left running. */
export class StandInError extends Error {
  override readonly name = "StandInError";
  readonly standIn: StandIn;
  constructor(standIn: StandIn, cause: unknown) {
    super(`the embedded ${standIn} could not start: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.standIn = standIn;
  }
  isRetryable(): boolean {
    return false;
  }
}

const STARTERS: Starters = {
  queue: startQueueServer,
  table: startTableServer,
  postgres: startPostgres,
  relay: startSampleRelay,
};

/** @throws StandInError for the first one that failed, or the signal's reason */
export async function startEmbedded(options: EmbeddedOptions, starters: Starters = STARTERS): Promise<EmbeddedStack> {
  options.signal?.throwIfAborted();
  const failed = new AbortController();
  const signal = AbortSignal.any(options.signal === undefined ? [failed.signal] : [options.signal, failed.signal]);
  const started: AsyncDisposable[] = [];
  const start = async <T extends AsyncDisposable>(name: StandIn, starter: (options: StartOptions) => Promise<T>) => {
    if (!options.need[name]) return null;
    try {
      const standIn = await starter({ dataDir: join(options.dataDir, name), signal });
      started.push(standIn);
      return standIn;
    } catch (error) {
      // The first failure causes all later ones.
      failed.abort(new StandInError(name, error));
      return null;
    }
  };
  const [queue, table, postgres, relay] = await Promise.all([
    start("queue", starters.queue),
    start("table", starters.table),
    start("postgres", starters.postgres),
    start("relay", starters.relay),
  ]);
  if (signal.aborted) {
    await disposeAll(started);
    throw options.signal?.aborted === true ? options.signal.reason : failed.signal.reason;
  }
  const running = { queue, table, postgres, relay };
  const { promise: exited, resolve: goneFirst } = Promise.withResolvers<StandIn>();
  const pids: Partial<Record<StandIn, number>> = {};
  for (const name of STAND_INS) {
    const standIn = running[name];
    if (standIn === null) continue;
    pids[name] = standIn.pid;
    void standIn.exited.then(() => goneFirst(name));
  }
  return { ...running, pids, exited, [Symbol.asyncDispose]: () => disposeAll(started) };
}

/** Stops all of them, even if one cannot be stopped. @throws AggregateError */
async function disposeAll(standIns: readonly AsyncDisposable[]): Promise<void> {
  const results = await Promise.allSettled(standIns.map((standIn) => standIn[Symbol.asyncDispose]()));
  const errors = results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, "stand-ins that could not be stopped");
}
