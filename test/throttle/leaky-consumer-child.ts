/** A consumer process as it is, but for a sink that keeps 50 MB of each batch for ever, and for pauses that are shorter. */
import { systemClock } from "@firehose-backfill/core/clock";
import { serveConsumer } from "@firehose-backfill/server/serve-consumer";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { LEAK_MB, PAUSE_DIVISOR } from "./leak.ts";

const SHORTEST_PAUSE_MS = 5_000;
const kept: Buffer[] = [];

serveConsumer({
  clock: {
    now: () => systemClock.now(),
    sleep: (ms, signal) => systemClock.sleep(ms >= SHORTEST_PAUSE_MS ? ms / PAUSE_DIVISOR : ms, signal),
  },
  random: Math.random,
  openSink: (databaseUrl) => {
    const kit = openSink(databaseUrl);
    return {
      ...kit,
      openSink(options) {
        const sink = kit.openSink(options);
        return {
          ...sink,
          apply(...batch) {
            // Written to, or the kernel would not count it.
            kept.push(Buffer.alloc(LEAK_MB * 1024 * 1024, 1));
            return sink.apply(...batch);
          },
        };
      },
    };
  },
});
