/** The consumers of a local run, in this process or in child processes, with the figures that status shows. */
import type { CrashPoint } from "@firehose-backfill/backfill/deps";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import type { ConsumerAdapters, Addresses } from "./adapters.ts";
import { startConsumerProcesses } from "./consumer-process.ts";
import { startLocalConsumer } from "./local-consumer.ts";
import { openSink } from "./open-sink.ts";

export interface ConsumerFigures {
  /** The number of batches that are being applied. */
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
  /** Memory of the consumer process that uses the most; null: the consumers are in this process. */
  readonly rssMb: number | null;
}

export interface LocalConsumers {
  readonly figures: () => ConsumerFigures;
  /** Resolves when each consumer has finished its batch. */
  readonly done: Promise<void>;
}

/** As many pollers as a pool can have connections. Those above the run's limit wait. */
const MOST_POLLERS = 50;

export function localConsumers(options: {
  readonly kind: "in-process" | "process";
  readonly adapters: ConsumerAdapters;
  readonly addresses: Addresses;
  readonly throttleQuery: string | null;
  /** Used while no run gives the number. */
  readonly poolSize: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  readonly currentRun: () => Run | null;
  /** For tests. It only affects consumers in this process. */
  readonly crashPoint?: CrashPoint | undefined;
}): LocalConsumers {
  const { clock, random, log, signal, currentRun } = options;
  if (options.kind === "process") {
    const processes = startConsumerProcesses({
      entry: new URL("./consumer-child.ts", import.meta.url),
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
    sink: openSink(options.addresses.databaseUrl).openSink({
      poolSize: () => currentRun()?.throttle.dbPoolSize ?? options.poolSize,
      throttleQuery: options.throttleQuery,
      clock,
      random,
      log,
    }),
    clock,
    random,
    log,
    signal,
    currentRun,
    pollers: MOST_POLLERS,
    retire: null,
    onResult: () => {},
    crashPoint: options.crashPoint,
  });
  return {
    figures: () => {
      const { used, size } = consumer.sink.pool();
      return { active: consumer.loop.active(), poolUsed: used, poolSize: size, rssMb: null };
    },
    done: consumer.loop.done.then(() => consumer[Symbol.asyncDispose]()),
  };
}
