/** The reading part of a tick: windows one after the other, until the read-ahead is full, the time is over, the stream ends or the operator stops it. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { kitFor } from "@firehose-backfill/source/kit";
import type { WindowLimits } from "@firehose-backfill/source/window";
import { eventsThatFit } from "@firehose-backfill/throttle/slots";
import type { ReaderDeps } from "./deps.ts";
import { advanceApplied, type Outstanding } from "./advance-applied.ts";
import { paceOf } from "./pace.ts";
import { queueLimits } from "./queue-size.ts";
import type { SharedReader } from "./read-ahead-shares.ts";
import { createWorkMeter, freeReadAheadMs, type ReadAheadInput, readAheadEvents } from "./read-ahead.ts";
import { sendWindow } from "./send-window.ts";
import { noteStartGap } from "./start-gap.ts";
import { applyWindowEnd } from "./window-end.ts";

/** A window is registered at least this often, whether anything matched or not. */
const WINDOW_MS = 10_000;
const WINDOW_READ_BYTES = 64 * 1024 * 1024;
/** Bounds what the reader holds at once, and the ledger items of a window. */
const WINDOW_KEPT_BYTES = 16 * 1024 * 1024;
const WINDOW_EVENTS = 5_000;
/** A window costs 16 requests beside those of its batches, so it may be larger where batches are large. */
const WINDOW_BATCHES = 20;
const WAIT_FOR_CONSUMERS_MS = 200;
/** Of a message that holds one range: everything that is none of its records. */
const RANGE_MARGIN_BYTES = 8 * 1024;
/** A window costs some requests, however small it is. */
const LEAST_SHARE_OF_TICK = 1 / 4;

export interface ReadReport {
  readonly run: Run;
  readonly outstanding: Outstanding;
  readonly endedBecause: string;
  readonly windows: number;
  readonly frames: number;
  readonly received: number;
  readonly matched: number;
  readonly enqueued: number;
  readonly gaps: number;
  /** Frames of kinds that this version does not know. */
  readonly unknown: number;
  readonly isLeaseLost: boolean;
}

export interface ReadOptions {
  /** Ends the window in hand: what it holds is still sent and registered. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

export async function readWindows(
  deps: ReaderDeps,
  lease: Lease,
  from: { readonly run: Run; readonly outstanding: Outstanding; readonly shared: SharedReader },
  options: ReadOptions,
): Promise<ReadReport> {
  const { store, clock, timing } = deps;
  const { shared } = from;
  let { run, outstanding } = from;
  let isFirst = true;
  const sums = { windows: 0, frames: 0, received: 0, matched: 0, enqueued: 0, gaps: 0, unknown: 0 };
  const end = (endedBecause: string): ReadReport => {
    if (sums.unknown > 0) {
      deps.log(
        `[BACKFILL] ${run.source.host}: ${sums.unknown} frames of kinds that this version does not know were passed over`,
      );
    }
    return { run, outstanding, endedBecause, ...sums, isLeaseLost: endedBecause === "lease lost" };
  };
  const meter = createWorkMeter(outstanding.events, clock.now());
  const readAheadInput = (): ReadAheadInput => ({
    run,
    outstanding: shared.outstandingOfAll(outstanding),
    nowMs: clock.now(),
    tickMs: timing.tickMs,
    recentRate: meter.ratePerSecond(),
  });
  /** While others read as well, less than this is not worth a window: the reader waits until more is free. */
  const leastEvents = () => eventsThatFit(paceOf(run), timing.tickMs * LEAST_SHARE_OF_TICK);
  /** `justRead`: the run as the window that was sent last has read it. */
  const look = async (justRead: Run | null = null): Promise<string | null> => {
    const fresh = justRead ?? (await store.getRun(run.runId));
    if (fresh === null || fresh.fence !== lease.fence) return "lease lost";
    const advanced = await advanceApplied(deps, lease, fresh);
    if (advanced === null) return "lease lost";
    ({ run, outstanding } = advanced);
    meter.look(outstanding.events, clock.now());
    if (run.status !== "running") return run.status;
    return run.waiting === null ? null : `waiting: ${run.waiting.for}`;
  };

  if (freeReadAheadMs(readAheadInput()) < Math.max(1, timing.leastReadAheadMs)) return end("read-ahead full");
  const limits = await queueLimits(deps, run);
  if (typeof limits === "string") return end(limits);
  const scope = await store.getScope(run.runId);
  if (scope === null) throw new Error(`the filters of run ${run.runId} are gone from the table`);
  await using source = await open(deps, run, { ...options, scope });

  for (;;) {
    if (options.signal.aborted) return end("stopped");
    const leftMs = options.deadlineMs - clock.now();
    if (leftMs <= 0) return end("time");
    const isPaced = run.throttle.batchDelayMs > 0;
    const isAlone = shared.readers() === 1;
    const freeEvents = shared.mayRead(run, readAheadEvents(readAheadInput()));
    const isTooFew = freeEvents < (isAlone || isFirst || !isPaced ? 1 : Math.min(leastEvents(), shared.wanted()));
    if (isTooFew && !(isFirst && isPaced && isAlone)) {
      if (isPaced) {
        if (isAlone || !(await shared.waitForOthers(options.signal))) return end("read-ahead full");
        const stop = await look();
        if (stop !== null) return end(stop);
        continue;
      }
      await clock.sleep(WAIT_FOR_CONSUMERS_MS, options.signal);
      const stop = await look();
      if (stop !== null) return end(stop);
      continue;
    }

    const windowLimits: WindowLimits = {
      maxEvents: Math.min(freeEvents, Math.max(WINDOW_EVENTS, WINDOW_BATCHES * run.throttle.batchSize)),
      tickEvents: freeEvents,
      maxBytes: Math.floor(WINDOW_KEPT_BYTES / shared.readers()),
      maxReadBytes: WINDOW_READ_BYTES,
      maxMs: Math.min(WINDOW_MS, leftMs),
      takeFirstWhole: isFirst || (!isPaced && outstanding.batches === 0),
      maxRange: run.throttle.batchSize,
      maxRangeBytes: limits.maxMessageBytes - RANGE_MARGIN_BYTES,
    };
    shared.begins(windowLimits.maxEvents);
    const window = await source.readWindow(windowLimits, options.signal);
    sums.frames += window.units;
    sums.received += window.received;
    sums.matched += window.events.counted;
    sums.unknown += window.unknown;
    for (const gap of window.gaps) {
      await store.addGap(run.runId, { ...gap, host: run.source.host, atMs: clock.now() });
      deps.log(`[BACKFILL] Gap: the host no longer has ${gap.from.ordinal} to ${gap.to.ordinal} (${gap.reason})`);
      sums.gaps += 1;
    }

    let justRead: Run | null = null;
    if (window.to !== null) {
      if (isFirst && run.startPosition === null) {
        const had = { keptSinceMs: window.startKeptSinceMs, first: window.first };
        if (await noteStartGap(deps, run, had)) sums.gaps += 1;
      }
      const sent = await sendWindow(deps, lease, run, { ...window, to: window.to }, limits);
      if (sent.kind === "dropped") return end(sent.because);
      isFirst = false;
      run = sent.run;
      justRead = sent.run;
      sums.windows += 1;
      sums.enqueued += sent.events;
      meter.sent(sent.events);
    }
    const ended = await applyWindowEnd(deps, lease, run, window);
    if (ended !== null) return end(ended);
    const isFull = window.verdict.kind === "more" && window.verdict.isFull;
    shared.ended({ matched: window.events.length, isFull });
    if (isFull && isPaced && windowLimits.maxEvents === freeEvents && shared.readers() === 1)
      return end("read-ahead full");
    const stop = await look(justRead);
    if (stop !== null) return end(stop);
    if (isFull && window.to === null) await clock.sleep(WAIT_FOR_CONSUMERS_MS, options.signal);
  }
}

function open(deps: ReaderDeps, run: Run, how: ReadOptions & { readonly scope: ScopeSettings }) {
  const { source, start, end, createdAtMs } = run;
  return kitFor(deps.sources, source.kind).open({
    runId: run.runId,
    source,
    scope: how.scope,
    start,
    end,
    cursor: run.readerCursor,
    applied: run.appliedCursor,
    state: run.sourceState,
    isMoved: run.sourceMoved,
    createdAtMs,
    leftMs: how.deadlineMs - deps.clock.now(),
    signal: how.signal,
    isMemoryTight: () => deps.memory.isOverLimit(),
    memoryCheckInterval: run.throttle.memoryCheckInterval,
    log: deps.log,
  });
}
