/** A firehose that is made up: endless commits in order, and a reader of it that keeps the promises of readWindow. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import type { FirehoseReader, FirehoseReaderOptions, Window } from "@firehose-backfill/firehose/types";

export interface StreamShape {
  /** Commits in the stream; Infinity: it never ends. */
  readonly commits: number;
  /** Operations of commit `index`, from 0. */
  readonly operations: (index: number) => number;
  readonly startTimeMs: number;
  /** Event time between two commits. */
  readonly stepMs: number;
  /** Commits a second that the host sends. Infinity: whatever is asked for is there at once. */
  readonly commitsPerSecond: number;
  /** Share of events that pass the filter, 0 to 1; the others are skipped. */
  readonly matching: number;
  /** The record's bytes in commit `index`; null: none. */
  readonly record?: (index: number) => Uint8Array | null;
}

export function simulatedReader(shape: StreamShape, options: FirehoseReaderOptions): FirehoseReader {
  const { position } = options;
  let cursor = position.cursor ?? beginning(shape, position.startTimeMs);
  let { startReached } = position;

  return {
    async readWindow(limits, signal): Promise<Window> {
      const most = Math.max(1, Math.floor((limits.maxMs * shape.commitsPerSecond) / 1000));
      const from = cursor;
      const events: FirehoseEvent[] = [];
      let received = 0;
      let frames = 0;
      let first: Position | null = null;
      let endedBecause: Window["endedBecause"] = "events";
      for (;;) {
        const index = cursor?.seq ?? 0;
        if (index >= shape.commits) {
          endedBecause = "quiet";
          break;
        }
        if (frames >= most) {
          endedBecause = "time";
          break;
        }
        const commit = commitAt(shape, index);
        const isFirst = frames === 0 && limits.takeFirstWhole;
        if (events.length + commit.events.length > limits.maxEvents && !isFirst) break;
        events.push(...commit.events);
        received += commit.received;
        frames += 1;
        cursor = { seq: index + 1, timeMs: commit.timeMs };
        first ??= cursor;
        startReached = true;
      }
      if (Number.isFinite(shape.commitsPerSecond))
        await options.clock.sleep((frames * 1000) / shape.commitsPerSecond, signal);
      return {
        events: EventLog.of(events),
        received,
        skipped: received > events.length ? { collection: received - events.length } : {},
        frames,
        ignored: {},
        bytes: frames * 1000,
        from,
        to: frames === 0 ? null : cursor,
        first,
        startReached,
        recentTimesMs: [],
        hostSeen: true,
        brokenFrames: 0,
        gaps: [],
        oldestKeptMs: null,
        endedBecause,
        detail: null,
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A host that knows where a time begins, and says nothing of what came before. null: at its oldest. */
function beginning({ startTimeMs, stepMs }: StreamShape, fromMs: number | null): Position | null {
  if (fromMs === null || fromMs <= startTimeMs) return null;
  const index = Math.ceil((fromMs - startTimeMs) / stepMs);
  return { seq: index, timeMs: startTimeMs + (index - 1) * stepMs };
}

function commitAt(shape: StreamShape, index: number): { events: FirehoseEvent[]; received: number; timeMs: number } {
  const timeMs = shape.startTimeMs + index * shape.stepMs;
  const received = shape.operations(index);
  const events = Array.from({ length: received }, (_, n): FirehoseEvent => ({
    kind: "record",
    action: "delete",
    seq: index + 1,
    timeMs,
    did: `did:plc:${index % 1000}`,
    collection: "app.bsky.feed.like",
    rkey: `${index}-${n}`,
    rev: `${index}`,
    cid: null,
    record: shape.record?.(index) ?? null,
  }));
  return { events: events.filter((_, n) => isMatching(shape, index * 7 + n)), received, timeMs };
}

/** Spread evenly, the same at every reading. */
function isMatching(shape: StreamShape, n: number): boolean {
  return Math.floor((n + 1) * shape.matching) > Math.floor(n * shape.matching);
}
