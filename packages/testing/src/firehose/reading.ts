/** Readers for tests: short timings, and windows read until something happens. */
import { systemClock } from "@firehose-backfill/core/clock";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { openFirehoseReader } from "@firehose-backfill/firehose/reader";
import type { FirehoseTimings } from "../../../firehose/src/timings.ts";
import type {
  FirehoseReaderOptions,
  ReadPosition,
  Window,
  WindowEnd,
  WindowLimits,
} from "@firehose-backfill/firehose/types";

export const QUICK: FirehoseTimings = {
  idleMs: 60,
  quietMs: 80,
  silentMs: 200,
  reconnectMinMs: 1,
  reconnectMaxMs: 5,
  backOffMaxMs: 30,
  connectTimeoutMs: 2_000,
  pingAfterMs: 10,
  pingIntervalMs: 50,
  pongTimeoutMs: 2_000,
  gapSuspicionMs: 600_000,
  gapProbeIntervalMs: 100,
  probeTimeoutMs: 2_000,
};

export const FROM_OLDEST: ReadPosition = {
  cursor: null,
  start: "oldest",
  startTimeMs: null,
  startReached: false,
  recentTimesMs: [],
  endTimeMs: Number.POSITIVE_INFINITY,
  endSeq: null,
  hostSeen: false,
  brokenFrames: 0,
};

export const AMPLE: WindowLimits = {
  maxEvents: 100_000,
  maxBytes: 100_000_000,
  maxReadBytes: 100_000_000,
  maxMs: 10_000,
  takeFirstWhole: true,
};

export const never = (): AbortSignal => new AbortController().signal;

export interface TestReaderOptions extends Partial<Omit<FirehoseReaderOptions, "position" | "timings">> {
  readonly url: string;
  readonly position?: Partial<ReadPosition>;
  readonly timings?: Partial<FirehoseTimings>;
}

/** A window whose events are objects, which stay valid when the next one is read. */
export type TestWindow = Omit<Window, "events"> & { readonly events: readonly FirehoseEvent[] };

export interface TestReader extends AsyncDisposable {
  readWindow(limits: WindowLimits, signal: AbortSignal): Promise<TestWindow>;
}

export function openReader(options: TestReaderOptions): TestReader {
  const reader = openFirehoseReader({
    filter: compileFilter({ collections: [], dids: [] }),
    verify: "hash",
    clock: systemClock,
    random: () => 0.5,
    userAgent: "firehose-backfill/test",
    isMemoryTight: () => false,
    ...options,
    position: { ...FROM_OLDEST, ...options.position },
    timings: { ...QUICK, ...options.timings },
  });
  return {
    async readWindow(limits, signal) {
      const window = await reader.readWindow(limits, signal);
      return { ...window, events: [...window.events] };
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** Merges several windows. */
export interface Reading {
  readonly windows: readonly TestWindow[];
  readonly events: readonly FirehoseEvent[];
  readonly seqs: readonly number[];
  readonly last: TestWindow;
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly gaps: Window["gaps"];
}

const ORDINARY: ReadonlySet<WindowEnd> = new Set(["events", "bytes", "time", "idle"]);

/** Reads windows until one ends for another reason than size, time or idleness. */
export async function readToEnd(reader: TestReader, limits: Partial<WindowLimits> = {}): Promise<Reading> {
  const windows: TestWindow[] = [];
  for (let left = 200; left > 0; left--) {
    const window = await reader.readWindow({ ...AMPLE, ...limits }, never());
    windows.push(window);
    if (!ORDINARY.has(window.endedBecause)) return merge(windows, window);
  }
  throw new Error(`no end after ${windows.length} windows`);
}

function merge(windows: readonly TestWindow[], last: TestWindow): Reading {
  const events = windows.flatMap((window) => window.events);
  const skipped: Record<string, number> = {};
  for (const window of windows) {
    for (const [reason, count] of Object.entries(window.skipped)) skipped[reason] = (skipped[reason] ?? 0) + count;
  }
  return {
    windows,
    events,
    seqs: events.map((event) => event.seq),
    last,
    received: windows.reduce((sum, window) => sum + window.received, 0),
    skipped,
    gaps: windows.flatMap((window) => window.gaps),
  };
}
