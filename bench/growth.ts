/**
 * Measures whether time and memory grow with a run: the functions of reader and consumer with a limit of 256 MB, each alone, and the
 * whole pipeline with 0.1 and 1 million events, and with 5 million on request.
 */
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { pdsFrames } from "../test/support/recordings.ts";
import { type FunctionGrowthOptions, measureFunctionGrowth } from "../test/throttle/function-growth.ts";
import { fitLine } from "../test/throttle/fit-line.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { runPipeline } from "./pipeline-run.ts";

const SIZES = [100_000, 1_000_000, 5_000_000];
/** A copy of the recording covers six minutes. */
const COPY_MS = 400_000;
const ALONE_EVENTS = 1_000_000;
const LEAST_STEP_EVENTS = 10_000;
const SAMPLES = 40;

export const growth: Benchmark = {
  summary:
    "memory of the reader's function over a million events, and of the whole at 0.1 and 1 million [--most 5000000] [--batch N] [--concurrent N]; one function alone: --reader 1 or --consumer 1, with --most 10000000",
  async run(args) {
    const asked = numbersOf(args, { most: ALONE_EVENTS, batch: 500, concurrent: 4, reader: 0, consumer: 0 });
    const { most, batch, concurrent } = asked;
    if (asked.reader === 1) return { reader: await alone("reader", most, batch) };
    if (asked.consumer === 1) return { consumer: await alone("consumer", most, batch) };
    const reader = await alone("reader", ALONE_EVENTS, batch);
    const frames = pdsFrames();
    const one = resealedLog({ frames, copies: 1, seed: "growth", firstTimeMs: 0 });
    const results = [];
    for (const size of SIZES.filter((events) => events <= most)) {
      const copies = Math.ceil(size / one.events);
      const firstTimeMs = Date.now() - 86_400_000 - copies * COPY_MS;
      await using relay = await startReplayRelay({
        frames: resealedLog({ frames, copies, seed: "growth", firstTimeMs }),
      });
      const { events, seconds, parts } = await runPipeline({ relay, batch, concurrent, databaseUrl: null });
      const rssMb = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.rssMb]));
      results.push({ events, seconds, secondsPerMillion: Number(((seconds / events) * 1e6).toFixed(1)), rssMb });
      console.error(JSON.stringify(results.at(-1)));
    }
    return { batch, concurrent, reader, results };
  },
};

/** No collection is forced before a sample: the figures are what Lambda would see. */
async function alone(measured: FunctionGrowthOptions["measured"], most: number, batchSize: number) {
  const step = Math.max(LEAST_STEP_EVENTS, Math.ceil(most / SAMPLES));
  const at = Array.from({ length: Math.max(2, Math.ceil(most / step)) }, (_, index) => (index + 1) * step);
  const startedMs = performance.now();
  const samples = await measureFunctionGrowth({
    measured,
    at,
    batchSize,
    collect: false,
    onSample: (sample) => console.error(JSON.stringify(rounded(sample))),
  });
  const lastHalf = samples.slice(Math.floor(samples.length / 2));
  const rss = fitLine(lastHalf.map(({ events, rssMb }) => [events, rssMb]));
  return rounded({
    events: samples.at(-1)?.events ?? 0,
    seconds: (performance.now() - startedMs) / 1_000,
    maxRssMb: Math.max(...samples.map(({ rssMb }) => rssMb)),
    slopeMbPerMillion: rss.slope * 1e6,
    noiseMb: rss.noise,
  });
}

function rounded(figures: object): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries<unknown>({ ...figures }).map(([name, value]) => [
      name,
      typeof value === "number" ? Math.round(value * 100) / 100 : null,
    ]),
  );
}
