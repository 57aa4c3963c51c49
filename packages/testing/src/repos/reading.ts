/** Reads repositories with the kit as ticks do: opens it, reads windows, closes it, and stores what a run would. */
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { ReposKitOptions } from "@firehose-backfill/repos/source/lister";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { OpenOptions, SourceKit } from "@firehose-backfill/source/kit";
import type { Window, WindowLimits } from "@firehose-backfill/source/window";
import { memoryItems } from "../source/memory-items.ts";
import { loopbackNames } from "./http-server.ts";

export const WINDOW: WindowLimits = {
  maxEvents: 5_000,
  maxBytes: 16_777_216,
  maxReadBytes: 67_108_864,
  maxMs: 10_000,
  takeFirstWhole: true,
  maxRange: 50,
  maxRangeBytes: 200_000,
};

export interface StoredRun {
  cursor: Cursor | null;
  applied: Cursor | null;
  state: string | null;
  isMoved: boolean;
}

export const newStoredRun = (): StoredRun => ({ cursor: null, applied: null, state: null, isMoved: false });

export function testKit(options: Partial<ReposKitOptions> & Pick<ReposKitOptions, "plcUrl">): SourceKit {
  return reposKit({
    clock: systemClock,
    random: () => 0,
    userAgent: "test/1",
    resolveName: loopbackNames,
    hostRate: 10_000,
    items: memoryItems(),
    ...options,
  });
}

export interface TickOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly limits?: Partial<WindowLimits>;
  readonly open?: Partial<OpenOptions>;
  /** At most. */
  readonly windows?: number;
  readonly onWindow?: (window: Window) => void;
}

export interface Read {
  readonly events: FirehoseEvent[];
  readonly windows: Window[];
  readonly lines: string[];
}

/** One tick: windows until one says that there is no more now. */
export async function tick(kit: SourceKit, run: StoredRun, options: TickOptions): Promise<Read> {
  const read: Read = { events: [], windows: [], lines: [] };
  const { signal } = new AbortController();
  await using source = await kit.open({
    runId: "run-1",
    source: { kind: "repos", host: "test" },
    scope: parseConfig({ BACKFILL_SOURCE: "repos", ...options.env }).settings,
    start: { kind: "oldest" },
    end: { kind: "caught-up" },
    ...run,
    createdAtMs: Date.now(),
    leftMs: 40_000,
    signal,
    isMemoryTight: () => false,
    memoryCheckInterval: 100,
    log: (line) => void read.lines.push(line),
    ...options.open,
  });
  for (let count = 0; count < (options.windows ?? 1_000); count++) {
    const window = await source.readWindow({ ...WINDOW, ...options.limits }, signal);
    read.events.push(...window.events);
    read.windows.push(window);
    options.onWindow?.(window);
    if (window.to !== null) run.cursor = window.to;
    run.state = window.state;
    run.isMoved = false;
    if (window.verdict.kind !== "more") return read;
  }
  return read;
}

/** Ticks until the run is at its end. */
export async function readAll(kit: SourceKit, run: StoredRun, options: TickOptions): Promise<Read> {
  const all: Read = { events: [], windows: [], lines: [] };
  for (let count = 0; count < 1_000; count++) {
    const { events, windows, lines } = await tick(kit, run, options);
    all.events.push(...events);
    all.windows.push(...windows);
    all.lines.push(...lines);
    if (windows.at(-1)?.verdict.kind === "end") return all;
  }
  throw new Error("the run does not end");
}
