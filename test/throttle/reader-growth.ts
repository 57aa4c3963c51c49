/** How a reader's memory grows with what it has read: a process of its own with a limit, against a relay in this one. */
import { forkChild } from "@firehose-backfill/embedded/child";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { pdsFrames } from "../support/recordings.ts";
import { fitLine } from "./fit-line.ts";

export interface GrowthTask {
  readonly relayUrl: string;
  readonly headSeq: number;
  readonly limitMb: number;
}

export interface GrowthSample {
  readonly events: number;
  readonly rssMb: number;
}

export interface Growth {
  readonly events: number;
  readonly expectedEvents: number;
  readonly seconds: number;
  readonly maxRssMb: number;
  /** Least squares over the last half, MB per million events. */
  readonly slopeMbPerMillion: number;
  /** By how much the samples of the last half stray from that line, one standard deviation. */
  readonly noiseMb: number;
}

/** As the functions run: V8 else keeps up to 100 MB for what is young, whatever lives. */
const NODE_FLAGS = ["--expose-gc", "--max-semi-space-size=4"];
const READY_TIMEOUT_MS = 30_000;

export async function measureReaderGrowth(options: {
  readonly copies: number;
  readonly limitMb: number;
}): Promise<Growth> {
  const log = resealedLog({
    frames: pdsFrames(),
    copies: options.copies,
    seed: "growth",
    firstTimeMs: Date.now() - 86_400_000,
  });
  await using relay = await startReplayRelay({ frames: log });
  const task: GrowthTask = { relayUrl: relay.url, headSeq: log.headSeq, limitMb: options.limitMb };
  const samples: GrowthSample[] = [];
  const startedMs = Date.now();
  await using child = await forkChild({
    entry: new URL("./reader-growth-child.ts", import.meta.url),
    args: [],
    execArgv: [...NODE_FLAGS],
    readyTimeoutMs: READY_TIMEOUT_MS,
    init: task,
    onMessage: (message) => {
      if (isSample(message)) samples.push(message.sample);
    },
  });
  const code = await child.exited;
  if (code !== 0) throw new Error(`the reader ended with ${code}:\n${child.tail()}`);
  const lastHalf = samples.slice(Math.floor(samples.length / 2));
  const { slope, noise } = fitLine(lastHalf.map(({ events, rssMb }) => [events, rssMb]));
  return {
    events: samples.at(-1)?.events ?? 0,
    expectedEvents: log.events,
    seconds: (Date.now() - startedMs) / 1000,
    maxRssMb: Math.max(...samples.map(({ rssMb }) => rssMb)),
    slopeMbPerMillion: slope * 1_000_000,
    noiseMb: noise,
  };
}

function isSample(message: unknown): message is { readonly sample: GrowthSample } {
  return typeof message === "object" && message !== null && "sample" in message;
}
