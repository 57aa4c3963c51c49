/** The consumers of a local run, in this process or in processes of their own, with the figures that status shows. */
import type { CrashPoint } from "@firehose-backfill/backfill/deps";
import type { Run } from "@firehose-backfill/checkpoint/types";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Adapters, Addresses } from "./adapters.ts";
import { startConsumerProcesses } from "./consumer-process.ts";
import { startLocalConsumer } from "./local-consumer.ts";

export interface ConsumerFigures {
  /** Batches in hand. */
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
  /** Of the fullest consumer process; null: they live in this process. */
  readonly rssMb: number | null;
}

export interface LocalConsumers {
  readonly figures: () => ConsumerFigures;
  /** Resolves when each has finished what it holds. */
  readonly done: Promise<void>;
}

/** Tunes reach at most this many at once; pollers above the run's max-concurrent rest. */
const MOST_POLLERS = 100;

export function localConsumers(options: {
  readonly kind: "in-process" | "process";
  readonly adapters: Adapters;
  readonly addresses: Addresses;
  readonly throttleQuery: string | null;
  readonly poolSize: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  readonly currentRun: () => Run | null;
  /** For tests; reaches consumers of this process alone. */
  readonly crashPoint?: CrashPoint | undefined;
}): LocalConsumers {
  const { clock, log, signal, currentRun } = options;
  if (options.kind === "process") {
    const processes = startConsumerProcesses({
      init: { addresses: options.addresses, throttleQuery: options.throttleQuery },
      wanted: () => currentRun()?.throttle.maxConcurrent ?? 0,
      clock,
      log,
      signal,
    });
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      figures: () => {
        const reports = processes.reports();
        return {
          active: sum(reports.map(({ active }) => active)),
          poolUsed: sum(reports.map(({ poolUsed }) => poolUsed)),
          poolSize: sum(reports.map(({ poolSize }) => poolSize)),
          rssMb: reports.length === 0 ? null : Math.max(...reports.map(({ rssMb }) => rssMb)),
        };
      },
      done: processes.done,
    };
  }
  const consumer = startLocalConsumer({
    adapters: options.adapters,
    databaseUrl: options.addresses.databaseUrl,
    poolSize: options.poolSize,
    throttleQuery: options.throttleQuery,
    clock,
    random: options.random,
    log,
    signal,
    currentRun,
    pollers: Math.min(MOST_POLLERS, options.poolSize),
    crashPoint: options.crashPoint,
  });
  return {
    figures: () => {
      const { used, size } = consumer.sink.pool();
      return { active: consumer.loop.active(), poolUsed: used, poolSize: size, rssMb: null };
    },
    done: consumer.loop.done.then(() => consumer.sink[Symbol.asyncDispose]()),
  };
}
