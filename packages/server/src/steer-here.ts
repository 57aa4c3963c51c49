/**
 * Controls a run that no process is working on: it starts the services of the data folder, executes one control event, and
 * ends. It never begins a run and reads no events. If a redrive sends events of a finished run back to the queue, they are
 * applied here, because no other process would do it.
 */
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import { prepareSink } from "@firehose-backfill/backfill/prepare-sink";
import type { ListedResyncs } from "@firehose-backfill/backfill/list-resyncs";
import type { ControlEvent } from "@firehose-backfill/backfill/control-event";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import { type Clock, systemClock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { claimDataDir } from "@firehose-backfill/embedded/data-dir";
import { type Adapters, openAdapters } from "./adapters.ts";
import { localConsumers } from "./local-consumers.ts";
import { openSink } from "./open-sink.ts";
import { watchRun } from "./run-watch.ts";
import { startStack } from "./start-stack.ts";

export interface SteerHereOptions {
  readonly config: Config;
  /** The configuration with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
  readonly event: Extract<ControlEvent, { action: "cancel" | "tune" | "redrive" | "discard" | "resync" | "resyncs" }>;
  readonly log: (line: string) => void;
  /** If it is aborted, the current batch is finished, and the call ends. */
  readonly stop: AbortSignal;
}

export interface SteeredHere {
  /** One sentence for the operator. */
  readonly message: string;
  /** The run after the event. */
  readonly run: Run | null;
  readonly resyncs?: ListedResyncs;
}

/** @throws UsageError if the event is refused, and the errors of a start */
export async function steerHere(options: SteerHereOptions): Promise<SteeredHere> {
  const { config, event, stop } = options;
  const { settings } = config;
  const log = (line: string) => options.log(escapeForLog(line));
  const clock = systemClock;
  const random = Math.random;
  await using claim = await claimDataDir(settings.dataDir);
  await using stack = await startStack(claim.dataDir, settings, stop);
  await using adapters = openAdapters(stack.addresses, { clock, random });
  const { store, queue } = adapters;
  const sink = openSink(stack.addresses.databaseUrl, { signal: stop });
  const { throttleQuery } = settings;
  await prepareSink(sink, { throttleQuery, goesOn: await goingOn(store) });
  const deps: ControlDeps = {
    store,
    queue,
    clock,
    random,
    configure: options.configure,
    limits: null,
    allowRelayFromEvent: false,
    openDeadEvents: () => openSink(stack.addresses.databaseUrl).openDeadEvents(),
  };
  const { message, run, resyncs } = await control(deps, event, "command");
  if (resyncs !== undefined) return { message, run, resyncs };
  if (event.action === "cancel") return { message, run: await endCancelled(deps, run) };
  if (event.action !== "redrive") return { message, run };
  if (run !== null && run.finishedAtMs === null) {
    return { message: `${message}. That run is not finished. To continue it: firehose-backfill run, or resume`, run };
  }
  await applyWhatCameBack({ adapters, addresses: stack.addresses, config, clock, random, log, stop, run });
  return { message, run: run === null ? null : await store.getRun(run.runId) };
}

/** If no run is open, a redrive sends events of a finished run back to the queue. */
async function goingOn(store: RunStore): Promise<readonly Run[]> {
  const open = await store.openRuns();
  return open.length > 0 ? open : store.pastRuns({ limit: 1 });
}

/** A reader would do the second step, and there is none here. */
async function endCancelled(deps: ControlDeps, run: Run | null): Promise<Run | null> {
  if (run === null) return null;
  const patch = { reason: null, finishedAtMs: deps.clock.now() };
  const ended = await deps.store.transition(run.runId, ["cancelling"], "cancelled", patch);
  if (ended === null)
    throw new UsageError(
      `run ${run.runId} was changed by another command at the same time: look at its status and try again`,
    );
  return ended;
}

const LOOK_EVERY_MS = 500;

/** Applies the queue at the pace of the run. It ends when the queue is empty or at a signal. Batches that are not applied then stay in the queue. */
async function applyWhatCameBack(options: {
  readonly adapters: Adapters;
  readonly addresses: Parameters<typeof localConsumers>[0]["addresses"];
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly stop: AbortSignal;
  readonly run: Run | null;
}): Promise<void> {
  const { adapters, clock, config, stop } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([stop, ending.signal]);
  const watch = watchRun({ store: adapters.store, clock, signal, first: options.run });
  const consumers = localConsumers({
    kind: "in-process",
    adapters,
    addresses: options.addresses,
    throttleQuery: config.settings.throttleQuery,
    poolSize: config.settings.dbPoolSize,
    clock,
    random: options.random,
    log: options.log,
    signal,
    currentRun: watch.current,
  });
  while (!stop.aborted) {
    const { ready, inFlight, delayed } = await adapters.queue.figures();
    if (ready + inFlight + delayed === 0) break;
    await clock.sleep(LOOK_EVERY_MS, stop);
  }
  ending.abort();
  await Promise.all([consumers.done, watch.done]);
}
