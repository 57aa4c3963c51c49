/** What a setting does to what is read: one tick of the real reader against a relay, with queue and table in memory. */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { mixedFrames } from "../support/recordings.ts";
import { realReader } from "../support/real-reader.ts";

export interface ReadTick {
  readonly collections: ReadonlySet<string>;
  readonly dids: ReadonlySet<string>;
  readonly markers: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** Everything that the recording holds is read: of the settings only those of the filter matter. */
export async function observeReader(settings: Readonly<Record<string, string>>): Promise<ReadTick> {
  await using relay = await startReplayRelay({ frames: mixedFrames() });
  const config = parseConfig({ ...settings, RELAY_URL: relay.url, BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_DAYS: "-1" });
  const clock = systemClock;
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const run = newRun(config, { runId: "run", nowMs: clock.now(), end: { kind: "seq", seq: relay.log.headSeq } });
  await store.createRun({ ...run, throttle: { ...run.throttle, maxConcurrent: 100 } });
  await runTick(realReader({ store, queue }), { signal: new AbortController().signal, firstRuns: null });
  const events: FirehoseEvent[] = [];
  for (;;) {
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    if (messages.length === 0) break;
    for (const { content } of messages) if (content.kind === "batch") events.push(...content.batch.events);
  }
  const after = (await store.getRun("run")) ?? undefined;
  const windows = after === undefined ? [] : await store.openWindows(after, 100);
  const skipped: Record<string, number> = {};
  for (const { window } of windows)
    for (const [reason, n] of Object.entries(window.skipped)) skipped[reason] = (skipped[reason] ?? 0) + n;
  const records = events.filter((event) => event.kind === "record");
  return {
    collections: new Set(records.map(({ collection }) => collection)),
    dids: new Set(records.map(({ did }) => did)),
    markers: events.length - records.length,
    skipped,
  };
}
