/**
 * Measures whether time and memory grow with a run: a reader with a limit of 256 MB over a million events, and the whole pipeline with
 * 0.1 and 1 million events, and with 5 million on request.
 */
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { pdsFrames } from "../test/support/recordings.ts";
import { measureReaderGrowth } from "../test/throttle/reader-growth.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { runPipeline } from "./pipeline-run.ts";

const SIZES = [100_000, 1_000_000, 5_000_000];
/** A copy of the recording covers six minutes. */
const COPY_MS = 400_000;
const READER = { events: 1_000_000, limitMb: 256 };

export const growth: Benchmark = {
  summary:
    "rss of a reader over a million events; seconds a million and rss of the whole at 0.1 and 1 million [--most 5000000] [--batch N] [--concurrent N]",
  async run(args) {
    const { most, ...options } = numbersOf(args, { most: 1_000_000, batch: 500, concurrent: 4 });
    const frames = pdsFrames();
    const one = resealedLog({ frames, copies: 1, seed: "growth", firstTimeMs: 0 });
    const reader = await measureReaderGrowth({
      copies: Math.ceil(READER.events / one.events),
      limitMb: READER.limitMb,
    });
    console.error(`reader, limit ${READER.limitMb} MB: ${JSON.stringify(reader)}`);
    const results = [];
    for (const size of SIZES.filter((events) => events <= most)) {
      const copies = Math.ceil(size / one.events);
      const firstTimeMs = Date.now() - 86_400_000 - copies * COPY_MS;
      await using relay = await startReplayRelay({
        frames: resealedLog({ frames, copies, seed: "growth", firstTimeMs }),
      });
      const { events, seconds, parts } = await runPipeline({ relay, ...options, databaseUrl: null });
      const rssMb = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.rssMb]));
      results.push({ events, seconds, secondsPerMillion: Number(((seconds / events) * 1e6).toFixed(1)), rssMb });
      console.error(JSON.stringify(results.at(-1)));
    }
    return { ...options, reader, results };
  },
};
