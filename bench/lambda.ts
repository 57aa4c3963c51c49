/**
 * What Lambda would bill for ticks and batches: the bundled functions on the local host, each environment with the share of
 * a core that goes with its memory, in real time. Services are on loopback and without TLS, so that the network's time and
 * handshakes are left out.
 */
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { MB_OF_ONE_CORE } from "../test/functions/host/cpu-share.ts";
import type { LocalFunction } from "../test/functions/host/local-function.ts";
import { startServices } from "../test/functions/stage.ts";
import { pdsFrames } from "../test/support/recordings.ts";
import type { Benchmark } from "./benchmark.ts";
import { median, numbersOf } from "./lanes.ts";

const TICK_MS = 60_000;
const IDLE_TICKS = 10;

export const lambda: Benchmark = {
  summary:
    "billed milliseconds of ticks and batches under a share of a core, background pace [--memory MB] [--minutes N]",
  async run(args) {
    const { memory, minutes } = numbersOf(args, { memory: 640, minutes: 6 });
    const cpuShare = memory / MB_OF_ONE_CORE;
    const log = resealedLog({ frames: pdsFrames(), copies: 4, seed: "bench", firstTimeMs: Date.now() - 3_600_000 });
    await using relay = await startReplayRelay({ frames: log });
    await using services = await startServices();
    await using stage = await services.newStage({
      name: "lambda",
      relayUrl: relay.url,
      cpuShare,
      // No tick begins a run by itself.
      settings: { BACKFILL_DAYS: "0" },
    });
    const { reader, consumer } = stage.functions;
    for (let tick = 0; tick < IDLE_TICKS; tick += 1) await stage.tick();
    const idle = figuresOf(reader);

    await stage.control({ action: "start", from: "oldest" });
    const before = { consumer: consumer.output().length, reader: reader.output().length };
    const consuming = stage.consume();
    for (let minute = 0; minute < minutes; minute += 1) {
      const nextAt = performance.now() + TICK_MS;
      await stage.tick();
      await new Promise((resolve) => setTimeout(resolve, nextAt - performance.now()));
    }
    await consuming[Symbol.asyncDispose]();
    const results = {
      tickWithoutRun: idle,
      tick: figuresOf(reader, IDLE_TICKS),
      batch: figuresOf(consumer),
      // Without the 26 bytes that CloudWatch counts for each line.
      loggedBytesOfABatch: Math.round((consumer.output().length - before.consumer) / consumer.invocations.length),
      loggedBytesOfATick: Math.round((reader.output().length - before.reader) / minutes),
    };
    for (const [what, figures] of Object.entries(results)) console.error(`${what}: ${JSON.stringify(figures)}`);
    return { memoryMb: memory, cpuShare: Number(cpuShare.toFixed(2)), minutes, results };
  },
};

/**
 * The first one apart: it does what is done once in an environment. `cpuMs` divided by the share is what a quiet machine
 * would bill, waits for answers left out.
 */
function figuresOf({ invocations }: LocalFunction, from = 0) {
  const [first, ...others] = invocations.slice(from);
  const billed = others.map(({ billedMs }) => billedMs);
  return {
    count: others.length,
    medianMs: median(billed),
    meanMs: mean(billed),
    meanCpuMs: mean(others.map(({ cpuMs }) => cpuMs)),
    first: { billedMs: first?.billedMs ?? 0, cpuMs: Math.round(first?.cpuMs ?? 0) },
  };
}

function mean(values: readonly number[]): number {
  return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
}
