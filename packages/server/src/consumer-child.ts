/** The child's half of consumer-process.ts: one consumer, one connection, in a process of its own. */
import { systemClock } from "@firehose-backfill/core/clock";
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { type Addresses, openAdapters } from "./adapters.ts";
import { startLocalConsumer } from "./local-consumer.ts";
import { watchRun } from "./run-watch.ts";

export interface ConsumerChildInit {
  readonly addresses: Addresses;
  readonly throttleQuery: string | null;
}

/** What the parent hears once a second. */
export interface ConsumerChildReport {
  readonly consumer: {
    readonly rssMb: number;
    readonly active: number;
    readonly poolUsed: number;
    readonly poolSize: number;
  };
}

const REPORT_EVERY_MS = 1_000;
/** The batch in hand is finished, also when the parent was killed. */
const STOP_DEADLINE_MS = 10_000;

const stop = new AbortController();
let ended: Promise<void> = Promise.resolve();
onParentGone(async () => {
  stop.abort();
  await ended;
}, STOP_DEADLINE_MS);
process.once("message", (init) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by consumer-process.ts, and by nobody else
  ended = work(init as ConsumerChildInit);
});

async function work({ addresses, throttleQuery }: ConsumerChildInit): Promise<void> {
  const clock = systemClock;
  const random = Math.random;
  await using adapters = openAdapters(addresses, { clock, random });
  const first = await adapters.store.currentRun();
  const watch = watchRun({ store: adapters.store, clock, signal: stop.signal, first });
  await using consumer = startLocalConsumer({
    adapters,
    databaseUrl: addresses.databaseUrl,
    poolSize: 1,
    throttleQuery,
    clock,
    random,
    log: (line) => process.send?.({ log: line }),
    signal: stop.signal,
    currentRun: watch.current,
    pollers: 1,
  });
  reportReady(null);
  while (!stop.signal.aborted) {
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
    await clock.sleep(REPORT_EVERY_MS, stop.signal);
  }
  await watch.done;
}
