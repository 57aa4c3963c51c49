/**
 * The child's half of consumer-process.ts: one consumer with one connection in its own process. It ends when its parent
 * asks for it or is gone, and by itself if its memory stays above the limit: the parent then starts a new one.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { type Addresses, openAdapters } from "./adapters.ts";
import { startLocalConsumer } from "./local-consumer.ts";
import { watchRun } from "./run-watch.ts";

export interface ConsumerChildInit {
  readonly addresses: Addresses;
  readonly throttleQuery: string | null;
}

/** What the child reports to its parent once a second. */
export interface ConsumerChildReport {
  readonly consumer: {
    readonly rssMb: number;
    readonly active: number;
    readonly poolUsed: number;
    readonly poolSize: number;
  };
}

export interface ServeConsumerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly openSink: (databaseUrl: string) => SinkKit;
}

const REPORT_EVERY_MS = 1_000;
/** Finishes the current batch, even if the parent was killed. */
const STOP_DEADLINE_MS = 10_000;

/** Call it once in a process. */
export function serveConsumer(options: ServeConsumerOptions): void {
  const stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  onParentGone(async () => {
    stop.abort();
    await ended;
  }, STOP_DEADLINE_MS);
  process.once("message", (init) => {
    if (isInit(init)) ended = work(options, init, stop.signal);
  });
}

async function work(options: ServeConsumerOptions, init: ConsumerChildInit, stop: AbortSignal): Promise<void> {
  const { clock, random } = options;
  const log = (line: string) => process.send?.({ log: line });
  await using adapters = openAdapters(init.addresses, { clock, random });
  const first = await adapters.store.currentRun();
  const retired = new AbortController();
  const signal = AbortSignal.any([stop, retired.signal]);
  const watch = watchRun({ store: adapters.store, clock, signal, first });
  let messages = 0;
  await using consumer = startLocalConsumer({
    adapters,
    sink: options.openSink(init.addresses.databaseUrl).openSink({
      poolSize: 1,
      throttleQuery: init.throttleQuery,
      clock,
      random,
      log,
    }),
    clock,
    random,
    log,
    signal,
    currentRun: watch.current,
    pollers: 1,
    onResult: () => void (messages += 1),
    retire: () => {
      // A new process does at least one piece of work: a limit that is too low makes the run slow but never stops it.
      if (messages === 0) return;
      log("[BACKFILL] Memory does not fall: this consumer process ends, and a new one replaces it");
      retired.abort();
    },
  });
  reportReady(null);
  while (!signal.aborted) {
    const { used, size } = consumer.sink.pool();
    const report: ConsumerChildReport = {
      consumer: {
        rssMb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
        active: consumer.loop.active(),
        poolUsed: used,
        poolSize: size,
      },
    };
    process.send?.(report);
    await clock.sleep(REPORT_EVERY_MS, signal);
  }
  await watch.done;
  // Ends the process after this function, like a message of the parent.
  if (!stop.aborted) process.disconnect();
}

/** It is the first message of forkChild(). */
function isInit(message: unknown): message is ConsumerChildInit {
  return typeof message === "object" && message !== null && "addresses" in message;
}
