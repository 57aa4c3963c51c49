/**
 * The memory guard of a consumer process, by really allocating: each batch leaks 50 MB, the limit is 256 MB. It is never
 * above the limit by more than one batch, and the run still finishes: who does not come under it a new one replaces it.
 */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { startEmbedded } from "@firehose-backfill/embedded/stack";
import { openAdapters } from "@firehose-backfill/server/adapters";
import { startConsumerProcesses } from "@firehose-backfill/server/consumer-process";
import { localReaderTiming } from "@firehose-backfill/server/reader-timing";
import { startReaderLoop } from "@firehose-backfill/server/reader-loop";
import { watchRun } from "@firehose-backfill/server/run-watch";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { expect, it } from "vitest";
import { CALM } from "../simulation/simulate.ts";
import { MODEL, modelKit } from "../simulation/stream.ts";
import { temporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { LEAK_MB } from "./leak.ts";
import { watchMemoryPeaks } from "./memory-peaks.ts";

const LIMIT_MB = 256;
const BATCHES = 9;
const BATCH_SIZE = 5;
/** What decoding and sending a batch itself may take. */
const BATCH_ITSELF_MB = 25;

it("never above the limit by more than one batch; the run finishes, and nothing is lost or dead", async () => {
  await using folder = await temporaryFolder();
  await using stack = await startEmbedded({
    dataDir: folder.path,
    need: { queue: true, table: true, postgres: true, relay: false },
  });
  const { queue: queueServer, table, postgres } = stack;
  if (queueServer === null || table === null || postgres === null) throw new Error("a stand-in is missing");
  await openSink(postgres.databaseUrl).migrate();
  const addresses = {
    queueUrl: queueServer.queueUrl,
    dlqUrl: queueServer.dlqUrl,
    queueEndpoint: queueServer.endpoint,
    table: table.table,
    tableEndpoint: table.endpoint,
    databaseUrl: postgres.databaseUrl,
  };
  const clock = systemClock;
  const random = Math.random;
  await using adapters = openAdapters(addresses, { clock, random });
  const { store, queue } = adapters;
  const nowMs = clock.now();
  const config = parseConfig({
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "1",
    BACKFILL_MAX_MEMORY_MB: String(LIMIT_MB),
  });
  const first = await store.createRun({ ...newRun(config, { runId: "leaking", nowMs }), source: MODEL });

  const stop = new AbortController();
  const { signal } = stop;
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const watch = watchRun({ store, clock, signal, first });
  const processes = startConsumerProcesses({
    entry: new URL("./leaky-consumer-child.ts", import.meta.url),
    init: { addresses, throttleQuery: null },
    wanted: () => 1,
    clock,
    log,
    signal,
  });
  using memory = watchMemoryPeaks(processes.pids);
  const stream = {
    commits: BATCHES,
    operations: () => BATCH_SIZE,
    startTimeMs: nowMs - 3_600_000,
    stepMs: 100,
    commitsPerSecond: Number.POSITIVE_INFINITY,
    matching: 1,
  };
  const reader = startReaderLoop(
    {
      clock,
      random,
      store,
      queue,
      sources: { model: modelKit(stream, clock) },
      memory: CALM,
      timing: localReaderTiming({ isSample: true }),
      offPeak: null,
      limits: null,
      owner: "test",
      log,
    },
    {
      signal,
      onTick: ({ runs }) => {
        if (runs[0]?.run.status === "succeeded") stop.abort();
      },
    },
  );
  await reader.done;
  await Promise.all([processes.done, watch.done]);

  const run = await store.getRun("leaking");
  expect(run?.totals).toMatchObject({ received: BATCHES * BATCH_SIZE, processed: BATCHES * BATCH_SIZE, dead: 0 });
  expect(run?.memoryPauses).toBeGreaterThanOrEqual(2);
  expect((await queue.figures()).deadLetters).toBe(0);
  await using database = await openTestDatabase(postgres.databaseUrl);
  const rows = await database.query("SELECT count(*)::int AS n FROM firehose.records", []);
  expect(rows[0]?.["n"]).toBe(BATCHES * BATCH_SIZE);

  const peaks = [...memory.peaks.values()];
  expect(peaks.length).toBeGreaterThanOrEqual(2);
  // They did leak up to the limit; and none went on above it.
  expect(Math.max(...peaks)).toBeGreaterThan(LIMIT_MB);
  expect(Math.max(...peaks)).toBeLessThan(LIMIT_MB + LEAK_MB + BATCH_ITSELF_MB);
  expect(lines.join("\n")).toContain("a new one replaces it");
}, 120_000);
