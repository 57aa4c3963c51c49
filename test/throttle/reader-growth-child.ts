/** A reader in a process of its own, with a memory limit, a table in memory and a queue that forgets. Started by reader-growth.ts. */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { relayKit } from "@firehose-backfill/firehose/kit";
import { encodeMessage, messageBytes } from "@firehose-backfill/queue/message-codec";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import { localReaderTiming } from "@firehose-backfill/server/reader-timing";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import type { GrowthSample, GrowthTask } from "./reader-growth.ts";

const REPORT_EVERY_EVENTS = 1_000;
const MB = 1024 * 1024;

const stop = new AbortController();
onParentGone(() => stop.abort());
process.once("message", (task: unknown) => {
  if (isTask(task)) void read(task).then(() => process.disconnect());
});
reportReady(null);

async function read(task: GrowthTask): Promise<void> {
  const clock = systemClock;
  const store = createMemoryStore();
  const config = parseConfig({
    RELAY_URL: task.relayUrl,
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_BATCH_SIZE: "50",
    BACKFILL_MAX_CONCURRENT: "10",
    BACKFILL_MAX_MEMORY_MB: String(task.limitMb),
    BACKFILL_DAYS: "-1",
  });
  const { maxMemoryMb } = config.settings;
  await store.createRun(
    newRun(config, { runId: "growth", nowMs: clock.now(), end: { kind: "seq", seq: task.headSeq } }),
  );
  let events = 0;
  let reported = 0;
  const report = () => {
    const sample: GrowthSample = { events, rssMb: process.memoryUsage.rss() / MB };
    process.send?.({ sample });
  };
  /** Encodes as SQS would have it, and everything is applied at once. */
  const queue: BatchQueue = {
    readLimits: () => Promise.resolve({ declaredBytes: 1024 * 1024, maxMessageBytes: 1024 * 1024 }),
    async send(batches) {
      let bytes = 0;
      for (const { batch } of batches) {
        bytes += messageBytes(encodeMessage(batch));
        events += batch.events.length;
        const counts = { applied: batch.events.length, stale: 0, dead: 0 };
        await store.finish(batch.key, "applied", counts, { nowMs: clock.now(), redriven: false });
      }
      if (events - reported >= REPORT_EVERY_EVENTS) {
        reported = events;
        report();
      }
      return bytes;
    },
    receive: () => Promise.resolve([]),
    hide: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    removeMany: () => Promise.resolve(),
    deadLetter: () => Promise.resolve(),
    figures: () => Promise.resolve({ ready: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null, deadLetters: 0 }),
    peekDeadLetters: () => Promise.resolve([]),
    redrive: () => Promise.resolve({ moved: 0, left: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  for (;;) {
    const { runs } = await runTick(
      {
        clock,
        random: Math.random,
        store,
        queue,
        sources: {
          relay: relayKit({ clock, random: Math.random, userAgent: "growth", sampleRelayUrl: null, seekCursor: null }),
        },
        memory: processMemoryGuard(clock, () => maxMemoryMb),
        timing: localReaderTiming({ isSample: false }),
        offPeak: null,
        limits: null,
        owner: "growth",
        log: () => {},
      },
      { signal: stop.signal, firstRuns: null },
    );
    const [run] = runs.map((each) => each.run);
    if (run === undefined || run.status !== "running" || stop.signal.aborted) break;
    await clock.sleep(50, stop.signal);
  }
  report();
}

function isTask(task: unknown): task is GrowthTask {
  return typeof task === "object" && task !== null && "relayUrl" in task;
}
