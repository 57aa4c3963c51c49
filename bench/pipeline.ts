/**
 * From the socket to rows through the whole stack, unthrottled: the program itself, its embedded stand-ins, and recorded frames repeated
 * under new accounts. `--curve 1`: over batch sizes and concurrency. `--peers 1`: compared with simple programs without this project,
 * on the same frames and the same Postgres.
 */
import { cpus } from "node:os";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { pdsFrames } from "../test/support/recordings.ts";
import { numbersOf } from "./lanes.ts";
import { runNaive } from "./naive-run.ts";
import type { Benchmark } from "./benchmark.ts";
import { installClients } from "./install-clients.ts";
import { runPipeline } from "./pipeline-run.ts";
import { scratchPostgres } from "./scratch-postgres.ts";

const BATCH_SIZES = [5, 50, 500];
const CONCURRENCY = [1, 2, 4];
/** The queue's stand-in handles few messages a second, so small batches get fewer events. */
const CURVE_COPIES: Readonly<Record<number, number>> = { 5: 1, 50: 2, 500: 4 };
const NAIVE = ["clients/naive-atproto-sync", "naive-atcute"];

export const pipeline: Benchmark = {
  summary: "events/s from relay socket to rows [--copies N] [--batch N] [--concurrent N] [--curve 1] [--peers 1]",
  async run(args) {
    const { curve, peers, ...options } = numbersOf(args, { copies: 12, batch: 500, concurrent: 4, curve: 0, peers: 0 });
    const common = { ...options, cpus: cpus().length };
    if (curve !== 0) return { ...common, curve: await runCurve() };
    await using relay = await relayOf(options.copies);
    if (peers !== 0) return { ...common, ...(await runBeside(relay, options)) };
    return { ...common, ...(await runPipeline({ relay, ...options, databaseUrl: null })) };
  },
};

/** Its times are far enough back that nothing is in the future. */
export function relayOf(copies: number): Promise<ReplayRelay> {
  const firstTimeMs = Date.now() - 86_400_000 - copies * 400_000;
  return startReplayRelay({ frames: resealedLog({ frames: pdsFrames(), copies, seed: "bench", firstTimeMs }) });
}

async function runCurve(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const results = [];
  for (const batch of BATCH_SIZES) {
    await using relay = await relayOf(CURVE_COPIES[batch] ?? 1);
    for (const concurrent of CONCURRENCY) {
      const { events, seconds, eventsPerSecond } = await runPipeline({ relay, batch, concurrent, databaseUrl: null });
      results.push({ batch, concurrent, events, seconds, eventsPerSecond });
      console.error(JSON.stringify(results.at(-1)));
    }
  }
  return results;
}

async function runBeside(relay: ReplayRelay, options: { readonly batch: number; readonly concurrent: number }) {
  const rates: Record<string, number> = {};
  installClients();
  for (const contender of NAIVE) {
    await using postgres = await scratchPostgres();
    const { name, events, seconds } = await runNaive(contender, relay, postgres.databaseUrl);
    rates[name] = Math.round(events / seconds);
    console.error(`${name}: ${events} events in ${seconds.toFixed(1)} s`);
  }
  await using postgres = await scratchPostgres();
  const ours = await runPipeline({ relay, ...options, databaseUrl: postgres.databaseUrl });
  const ratios = Object.fromEntries(
    Object.entries(rates).map(([name, rate]) => [name, Number((ours.eventsPerSecond / rate).toFixed(2))]),
  );
  return { ours, peers: rates, "ours / peer": ratios };
}
