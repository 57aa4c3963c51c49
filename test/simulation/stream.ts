/** A second source, made up: endless commits in order, and a reader of them that keeps the promises of the port. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Clock } from "@firehose-backfill/core/clock";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { OpenOptions, SourceKit } from "@firehose-backfill/source/kit";
import { SurveyError } from "@firehose-backfill/source/survey";
import type { Verdict } from "@firehose-backfill/source/verdict";
import type { EventSource, Window } from "@firehose-backfill/source/window";

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

/** The kind that a run names to read a made-up stream. */
export const MODEL = { kind: "model", host: "model" } as const;

/** The whole source: no socket, no search, no survey, and nothing to remember but that it has begun. */
export function modelKit(shape: StreamShape, clock: Clock, isLasting = false): SourceKit {
  return {
    isLasting,
    open: (options) => openModel(shape, options, clock),
    survey: () => Promise.reject(new SurveyError("a made-up stream is not surveyed")),
  };
}

function openModel(shape: StreamShape, options: OpenOptions, clock: Clock): EventSource {
  const { start, cursor: given } = options;
  if (given !== null && given.token !== `commit-${given.ordinal}`)
    throw new Error(`the token of ${given.ordinal} is lost`);
  let cursor = given ?? beginning(shape, start.kind === "time" ? start.timeMs : null);

  return {
    async readWindow(limits, signal): Promise<Window> {
      const most = Math.max(1, Math.floor((limits.maxMs * shape.commitsPerSecond) / 1000));
      const events: FirehoseEvent[] = [];
      let received = 0;
      let units = 0;
      let first: Cursor | null = null;
      let verdict: Verdict = { kind: "more", isFull: true };
      for (;;) {
        const index = cursor?.ordinal ?? 0;
        if (index >= shape.commits) {
          verdict = { kind: "end", word: "quiet" };
          break;
        }
        if (units >= most) {
          verdict = { kind: "more", isFull: false };
          break;
        }
        const commit = commitAt(shape, index);
        const isFirst = units === 0 && limits.takeFirstWhole;
        if (events.length + commit.events.length > limits.maxEvents && !isFirst) break;
        events.push(...commit.events);
        received += commit.received;
        units += 1;
        cursor = tokened(index + 1, commit.timeMs);
        first ??= cursor;
      }
      if (Number.isFinite(shape.commitsPerSecond)) await clock.sleep((units * 1000) / shape.commitsPerSecond, signal);
      return {
        events: EventLog.of(events),
        received,
        skipped: received > events.length ? { collection: received - events.length } : {},
        units,
        unknown: 0,
        to: units === 0 ? null : cursor,
        first,
        state: "begun",
        keptSinceMs: null,
        startKeptSinceMs: null,
        gaps: [],
        verdict,
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** With a token that says the same again: whoever stores a cursor has to keep it. */
function tokened(ordinal: number, timeMs: number): Cursor {
  return { ordinal, timeMs, token: `commit-${ordinal}` };
}

/** A host that knows where a time begins, and says nothing of what came before. null: at its oldest. */
function beginning({ startTimeMs, stepMs }: StreamShape, fromMs: number | null): Cursor | null {
  if (fromMs === null || fromMs <= startTimeMs) return null;
  const index = Math.ceil((fromMs - startTimeMs) / stepMs);
  return tokened(index, startTimeMs + (index - 1) * stepMs);
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
