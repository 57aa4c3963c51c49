/** A repository through the kit, as the reader's ticks have it: DID, host, windows, the state stored after each. */
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceState, WindowLimits } from "@firehose-backfill/source/window";
import { memoryItems } from "@firehose-backfill/testing/source/memory-items";

/** As read-windows.ts asks, with the batches of the background profile. */
const WINDOW: WindowLimits = {
  maxEvents: 5_000,
  maxBytes: 16_777_216,
  maxReadBytes: 67_108_864,
  maxMs: 10_000,
  takeFirstWhole: false,
  maxRange: 50,
  maxRangeBytes: 900_000,
};

/** Returns how many records came. `eventsATick`: what the read-ahead leaves free, then the tick ends. */
export async function readSource(plcUrl: string, did: string, eventsATick: number): Promise<number> {
  const kit = reposKit({
    clock: systemClock,
    random: Math.random,
    userAgent: "bench/1",
    resolveName: systemNames,
    hostRate: 1e6,
    plcUrl,
    items: memoryItems(),
  });
  const { signal } = new AbortController();
  const { settings } = parseConfig({ BACKFILL_SOURCE: "repos", BACKFILL_DIDS: did });
  const run: { cursor: Cursor | null; state: SourceState | null } = { cursor: null, state: null };
  for (let records = 0; ;) {
    await using source = await kit.open({
      runId: "bench",
      source: { kind: "repos", host: "bench" },
      scope: settings,
      start: { kind: "oldest" },
      end: { kind: "caught-up" },
      ...run,
      applied: run.cursor,
      isMoved: false,
      createdAtMs: Date.now(),
      leftMs: 60_000,
      signal,
      isMemoryTight: () => false,
      memoryCheckInterval: 100,
      log: console.error,
    });
    for (let left = eventsATick, isFirst = true; left > 0; isFirst = false) {
      const maxEvents = Math.min(WINDOW.maxEvents, left);
      const window = await source.readWindow(
        { ...WINDOW, maxEvents, tickEvents: left, takeFirstWhole: isFirst },
        signal,
      );
      records += window.received;
      left -= window.events.counted;
      run.state = window.state;
      run.cursor = window.to ?? run.cursor;
      if (window.verdict.kind === "end") return records;
      // As the reader: the rest of the room is too small for a range.
      if (window.verdict.kind !== "more" || (window.verdict.isFull && maxEvents < WINDOW.maxEvents)) break;
    }
  }
}
