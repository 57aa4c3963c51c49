/** Reads the parts of a Snapshot from store and queue at one moment, and keeps the rate of the last minute. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import type { SourceItems } from "@firehose-backfill/source/items";
import { hostsPlace, readSourceHosts } from "@firehose-backfill/source/source-hosts";
import { effectiveDelayMs } from "@firehose-backfill/throttle/slots";
import { buildSnapshot } from "./build-snapshot.ts";
import type { LocalFigures } from "./process-figures.ts";
import { addRateSample, type RateSample, rateWindowMs } from "./rate-window.ts";
import { runSettings } from "./run-settings.ts";
import { markOf, type ProgressMark } from "./progress-mark.ts";
import type { Snapshot } from "./snapshot.ts";

/** What one process keeps from one snapshot to the next. */
export interface RateMeter {
  samples(): readonly RateSample[];
  record(sample: RateSample, windowMs: number): void;
  /** The progress to show: it never falls back. */
  progress(snapshot: Snapshot): number | null;
}

export interface CollectOptions {
  readonly store: Pick<RunStore, "currentRun" | "getRun" | "getScope"> &
    Pick<WindowStore, "openWindows"> &
    Pick<NoteStore, "listGaps" | "listErrors" | "listActions" | "listConsumers" | "getAudit"> &
    Pick<ResyncStore, "listResyncs">;
  readonly queue: Pick<BatchQueue, "figures">;
  /** What sources keep beside their state; left out: hosts are not shown. */
  readonly items?: Pick<SourceItems, "get">;
  readonly clock: Pick<Clock, "now">;
  /** The deployment's settings; those of the run replace them. */
  readonly config: Config;
  readonly local?: LocalFigures;
  /** Absent: the rate is not known. */
  readonly meter?: RateMeter;
  /** A run other than the current one. */
  readonly runId?: string;
}

/** More windows than can be open in two ticks at the densest pace. */
const MAX_OPEN_WINDOWS = 500;

/** @throws the errors of store and queue: a snapshot never has invented figures. */
export async function collectSnapshot(options: CollectOptions): Promise<Snapshot> {
  const { store, queue, clock, config, local, meter } = options;
  const [{ run, openWindows }, figures] = await Promise.all([readTotals(options), queue.figures()]);
  const about = run === null ? NO_RUN : await readAbout(store, run, options.items);
  const nowMs = clock.now();
  const snapshot = buildSnapshot({
    run,
    openWindows,
    ...about,
    queue: figures,
    ...(local === undefined ? {} : { local }),
    rateSamples: meter?.samples() ?? [],
    scope: about.scope,
    settings: runSettings(config, run, about.scope),
    nowMs,
  });
  if (run !== null) {
    const { runId, paceVersion } = run;
    const windowMs = rateWindowMs(effectiveDelayMs(run.throttle, run.backOff));
    meter?.record({ runId, paceVersion, atMs: nowMs, processed: snapshot.processed }, windowMs);
  }
  return meter === undefined ? snapshot : { ...snapshot, progress: meter.progress(snapshot) };
}

export function createRateMeter(): RateMeter {
  let samples: readonly RateSample[] = [];
  let mark: ProgressMark | null = null;
  return {
    progress: (snapshot) => {
      mark = markOf(mark, snapshot);
      return mark?.progress ?? snapshot.progress;
    },
    samples: () => samples,
    record: (sample, windowMs) => {
      samples = addRateSample(samples, sample, windowMs);
    },
  };
}

/** A meter for each run. */
export interface RateMeters {
  of(runId: string): RateMeter;
  /** Those of other runs are forgotten. */
  keepOnly(runIds: readonly string[]): void;
}

export function rateMeters(): RateMeters {
  const meters = new Map<string, RateMeter>();
  return {
    of(runId) {
      const meter = meters.get(runId) ?? createRateMeter();
      meters.set(runId, meter);
      return meter;
    },
    keepOnly(runIds) {
      for (const runId of meters.keys()) if (!runIds.includes(runId)) meters.delete(runId);
    },
  };
}

/**
 * The run and its open windows as of one moment. If the applied cursor moves in between, counts move from the windows to
 * the run, which was read first. Then windows are missing, and both are read again.
 */
async function readTotals(options: CollectOptions): Promise<{ run: Run | null; openWindows: readonly OpenWindow[] }> {
  const { store, runId } = options;
  for (let attempt = 1; ; attempt += 1) {
    const run = await (runId === undefined ? store.currentRun() : store.getRun(runId));
    if (run === null) return { run, openWindows: [] };
    const openWindows = await store.openWindows(run, MAX_OPEN_WINDOWS);
    const expected = Math.min(run.registered - run.appliedWindow, MAX_OPEN_WINDOWS);
    if (openWindows.length >= expected || attempt === MAX_ATTEMPTS) return { run, openWindows };
  }
}

const MAX_ATTEMPTS = 3;

const NO_RUN = { gaps: [], errors: [], actions: [], consumers: [], scope: null, hosts: [] };

/** So many requests for resyncs are shown. */
const MAX_RESYNCS_SHOWN = 20;

async function readAbout(
  store: CollectOptions["store"],
  { runId, paceId, progress }: Run,
  items: CollectOptions["items"],
) {
  const [gaps, errors, actions, consumers, scope, hosts, resyncs, audit] = await Promise.all([
    store.listGaps(runId),
    store.listErrors(runId),
    store.listActions(runId),
    store.listConsumers(runId),
    store.getScope(runId),
    items === undefined || progress === null ? null : items.get(hostsPlace(runId)),
    store.listResyncs(paceId, MAX_RESYNCS_SHOWN),
    store.getAudit(paceId),
  ]);
  return { gaps, errors, actions, consumers, scope, hosts: readSourceHosts(hosts), resyncs, audit };
}
