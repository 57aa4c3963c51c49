/** The reading part of a tick: windows one after the other, until the horizon, the time, the stream or the operator ends it. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import type { FirehoseReader, ReadPosition, WindowLimits } from "@firehose-backfill/firehose/types";
import type { ReaderDeps } from "./deps.ts";
import { findStart, type FoundStart, relayUrlOf } from "./find-start.ts";
import { foldRun, type Outstanding } from "./fold.ts";
import { queueLimits } from "./queue-size.ts";
import { createWorkMeter, freeHorizonMs, type RoomInput, roomForEvents } from "./room.ts";
import { sendWindow } from "./send-window.ts";
import { noteStartGap } from "./start-gap.ts";
import { applyWindowEnd } from "./window-end.ts";

/** A window is registered at least this often, whether anything matched or not. */
const WINDOW_MS = 10_000;
const WINDOW_READ_BYTES = 64 * 1024 * 1024;
/** Bounds what the reader holds at once, and the ledger items of a window. */
const WINDOW_KEPT_BYTES = 16 * 1024 * 1024;
const WINDOW_EVENTS = 5_000;
const WAIT_FOR_ROOM_MS = 200;

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
  from: { readonly run: Run; readonly outstanding: Outstanding },
  options: ReadOptions,
): Promise<ReadReport> {
  const { store, clock, place } = deps;
  let { run, outstanding } = from;
  let isFirst = true;
  const sums = { windows: 0, frames: 0, received: 0, matched: 0, enqueued: 0, gaps: 0, unknown: 0 };
  const end = (endedBecause: string): ReadReport => {
    if (sums.unknown > 0) {
      deps.log(
        `[BACKFILL] ${run.host}: ${sums.unknown} frames of kinds that this version does not know were passed over`,
      );
    }
    return { run, outstanding, endedBecause, ...sums, isLeaseLost: endedBecause === "lease lost" };
  };
  const meter = createWorkMeter(outstanding.events, clock.now());
  const roomInput = (): RoomInput => ({
    run,
    outstanding,
    nowMs: clock.now(),
    tickMs: place.tickMs,
    recentRate: meter.ratePerSecond(),
  });
  const look = async (): Promise<string | null> => {
    const fresh = await store.getRun(run.runId);
    if (fresh === null || fresh.fence !== lease.fence) return "lease lost";
    const folded = await foldRun(deps, lease, fresh);
    if (folded === null) return "lease lost";
    ({ run, outstanding } = folded);
    meter.look(outstanding.events, clock.now());
    if (run.status !== "running") return run.status;
    return run.waiting === null ? null : `waiting: ${run.waiting.for}`;
  };

  if (freeHorizonMs(roomInput()) < Math.max(1, place.leastRoomMs)) return end("horizon");
  const limits = await queueLimits(deps, run);
  if (typeof limits === "string") return end(limits);
  const scope = await store.getScope(run.runId);
  if (scope === null) throw new Error(`the filters of run ${run.runId} are gone from the table`);
  const url = relayUrlOf(deps, scope);
  const start = await findStart(deps, run, { url, signal: options.signal, leftMs: options.deadlineMs - clock.now() });
  await using reader = open(deps, run, { scope, url, start });

  for (;;) {
    if (options.signal.aborted) return end("stopped");
    const leftMs = options.deadlineMs - clock.now();
    if (leftMs <= 0) return end("time");
    const isPaced = run.throttle.batchDelayMs > 0;
    const room = roomForEvents(roomInput());
    if (room < 1 && !(isFirst && isPaced)) {
      if (isPaced) return end("horizon");
      await clock.sleep(WAIT_FOR_ROOM_MS, options.signal);
      const stop = await look();
      if (stop !== null) return end(stop);
      continue;
    }

    const windowLimits: WindowLimits = {
      maxEvents: Math.min(room, WINDOW_EVENTS),
      maxBytes: WINDOW_KEPT_BYTES,
      maxReadBytes: WINDOW_READ_BYTES,
      maxMs: Math.min(WINDOW_MS, leftMs),
      takeFirstWhole: isFirst || (!isPaced && outstanding.batches === 0),
    };
    const window = await reader.readWindow(windowLimits, options.signal);
    sums.frames += window.frames;
    sums.received += window.received;
    sums.matched += window.events.length;
    sums.unknown += window.ignored["unknown-type"] ?? 0;
    for (const gap of window.gaps) {
      await store.addGap(run.runId, { ...gap, host: run.host, atMs: clock.now() });
      deps.log(`[BACKFILL] Gap: the host no longer has ${gap.from.seq} to ${gap.to.seq} (${gap.reason})`);
      sums.gaps += 1;
    }

    if (window.to !== null) {
      const isEnd = window.endedBecause === "caught-up" || window.endedBecause === "quiet";
      const oldestKeptMs = window.oldestKeptMs ?? start.oldestKeptMs;
      if (isFirst && run.startPosition === null) {
        // What was sought and found lies before the start: only the very oldest frame tells what the host no longer has.
        const oldest = start.oldestKeptMs ?? (start.seq === null ? (window.first?.timeMs ?? null) : null);
        if (await noteStartGap(deps, run, { oldestKeptMs: oldest, first: window.first })) sums.gaps += 1;
      }
      const sent = await sendWindow(deps, lease, run, { ...window, to: window.to, oldestKeptMs }, { isEnd, limits });
      if (sent.kind === "dropped") return end(sent.because);
      isFirst = false;
      run = sent.run;
      sums.windows += 1;
      sums.enqueued += sent.events;
      meter.sent(sent.events);
    }
    const ended = await applyWindowEnd(deps, lease, run, window);
    if (ended !== null) return end(ended);
    if (window.endedBecause === "events" && isPaced && windowLimits.maxEvents === room) return end("horizon");
    const stop = await look();
    if (stop !== null) return end(stop);
    if (window.endedBecause === "events" && window.to === null) await clock.sleep(WAIT_FOR_ROOM_MS, options.signal);
  }
}

function open(
  deps: ReaderDeps,
  run: Run,
  from: { readonly scope: ScopeSettings; readonly url: string; readonly start: FoundStart },
): FirehoseReader {
  const { scope, url, start } = from;
  const position = positionOf(run);
  return deps.openReader({
    url,
    position: start.seq === null ? position : { ...position, start: { seq: start.seq } },
    filter: compileFilter(scope),
    verify: scope.verify,
    ...(deps.resolveKey === undefined ? {} : { resolveKey: deps.resolveKey }),
    clock: deps.clock,
    random: deps.random,
    userAgent: deps.place.userAgent,
    isMemoryTight: () => deps.memory.isOverLimit(),
    memoryCheckInterval: run.throttle.memoryCheckInterval,
    onLog: (message) => deps.log(`[BACKFILL] ${escapeForLog(message)}`),
  });
}

/** What the run item says about the stream, as the reader wants it. */
export function positionOf(run: Run): ReadPosition {
  const { start, end } = run;
  return {
    cursor: run.readerCursor,
    start: start.kind === "seq" ? { seq: start.seq } : start.kind === "live" ? "live" : "oldest",
    startTimeMs: start.kind === "time" ? start.timeMs : null,
    startReached: run.startReached,
    recentTimesMs: run.recentTimesMs,
    endTimeMs: end.kind === "time" ? end.timeMs : end.kind === "seq" ? Number.POSITIVE_INFINITY : run.createdAtMs,
    endSeq: end.kind === "seq" ? end.seq : null,
    hostSeen: run.hostSeen,
    brokenFrames: run.brokenFrames,
    // A reader lives for a tick: what it waits for longer than that is told from outside.
    ...(run.hostSeen ? {} : { silentSinceMs: run.createdAtMs }),
  };
}
