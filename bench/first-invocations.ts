/**
 * The first tick and the first batch of fresh environments, on the local host. Each round has a stage of its own, so that
 * every tick is the first one of a run and every batch the first one of its tables.
 */
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { isDone, receiveMessages, toSqsEvent } from "../test/functions/host/event-source-mapping.ts";
import type { Invocation, LocalFunction } from "../test/functions/host/local-function.ts";
import { type Services, type Stage, startServices } from "../test/functions/stage.ts";
import { pdsFrames } from "../test/support/recordings.ts";

export interface FirstInvocation {
  /** Milliseconds of CPU time, of all threads. */
  readonly importCpuMs: number;
  readonly handlerCpuMs: number;
  /** By the clock, with the handler held to its share. */
  readonly importMs: number;
  readonly handlerMs: number;
}

export interface FirstInvocations {
  readonly reader: readonly FirstInvocation[];
  readonly consumer: readonly FirstInvocation[];
}

/** How often a message is asked for, a second each: its batch is due with the first one. */
const MOST_RECEIVES = 30;

export async function firstInvocations(options: {
  readonly rounds: number;
  /** Of a core, for each invocation. */
  readonly cpuShare: number;
}): Promise<FirstInvocations> {
  const { rounds, cpuShare } = options;
  const log = resealedLog({ frames: pdsFrames(), copies: 4, seed: "bench", firstTimeMs: Date.now() - 3_600_000 });
  await using relay = await startReplayRelay({ frames: log });
  await using services: Services = await startServices();
  const reader: FirstInvocation[] = [];
  const consumer: FirstInvocation[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const settings = { BACKFILL_DAYS: "0" };
    await using stage = await services.newStage({ name: "cold", relayUrl: relay.url, cpuShare, settings });
    await stage.control({ action: "start", from: "oldest" });
    reader.push(await figuresOf(stage.functions.reader, await stage.tick()));
    // Without a pace no batch is late: on a busy machine its slot would have passed before the environment is there.
    await stage.control({ action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 0 } });
    consumer.push(await figuresOf(stage.functions.consumer, await applyFirstBatch(stage)));
  }
  return { reader, consumer };
}

/** @throws Error if the batch was not applied */
async function applyFirstBatch({ sqs: client, queueUrl, functions }: Stage): Promise<Invocation> {
  for (let count = 0; count < MOST_RECEIVES; count += 1) {
    const [message] = await receiveMessages({ client, queueUrl });
    if (message === undefined) continue;
    const invocation = await functions.consumer.invoke(toSqsEvent(message));
    // A batch may also be hidden or dropped, which takes less.
    if (!isDone(invocation) || !/"eventsApplied":[1-9]/.test(functions.consumer.output()))
      throw new Error(`the first batch was not applied: ${functions.consumer.output()}`);
    return invocation;
  }
  throw new Error("no message arrived");
}

async function figuresOf(fn: LocalFunction, invocation: Invocation): Promise<FirstInvocation> {
  const { outcome, error, cpuMs: handlerCpuMs, billedMs: handlerMs } = invocation;
  if (outcome !== "response") throw new Error(`${fn.name}: ${outcome}, ${error}`);
  const [environment] = fn.environments;
  if (environment === undefined) throw new Error(`${fn.name} has no environment`);
  const { ms: importMs, cpuMs } = await environment.imported;
  return { importCpuMs: cpuMs ?? Number.NaN, importMs, handlerCpuMs, handlerMs };
}
