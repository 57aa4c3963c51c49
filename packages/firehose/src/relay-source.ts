/** A relay's reader as an EventSource: its windows in the words of the port, its own facts as the source state. */
import type { Position } from "@firehose-backfill/core/position";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { EventSource, SourceState, Window } from "@firehose-backfill/source/window";
import type { FoundStart } from "./find-start.ts";
import { type RelayState, writeState } from "./relay-state.ts";
import { verdictOf } from "./relay-verdict.ts";
import type { FirehoseReader, Window as RelayWindow } from "./types.ts";

export interface OpenedWith {
  /** What the reader was opened with, and the text that is stored. */
  readonly state: RelayState;
  readonly stored: SourceState | null;
  readonly start: FoundStart;
}

export function relaySource(reader: FirehoseReader, { state: opened, stored, start }: OpenedWith): EventSource {
  /** Of the last window that moved the cursor. */
  let atCursor = opened;
  let last = { facts: opened, text: stored };

  /** A new text only where something is new: what is stored is written again only then. */
  const stateOf = (window: RelayWindow): SourceState | null => {
    const { hostSeen, brokenFrames, startReached, recentTimesMs } = window;
    if (window.to === null) {
      const isNews = hostSeen !== last.facts.hostSeen || brokenFrames !== last.facts.brokenFrames;
      if (isNews) last = textOf({ ...atCursor, hostSeen, brokenFrames });
    } else {
      // A window means that the host was seen.
      atCursor = { startReached, recentTimesMs, brokenFrames, hostSeen: true };
      last = textOf(atCursor);
    }
    return last.text;
  };

  return {
    async readWindow(limits, signal): Promise<Window> {
      const window = await reader.readWindow(limits, signal);
      return {
        events: window.events,
        received: window.received,
        skipped: window.skipped,
        units: window.frames,
        unknown: window.ignored["unknown-type"] ?? 0,
        to: toCursor(window.to),
        first: toCursor(window.first),
        state: stateOf(window),
        keptSinceMs: window.oldestKeptMs ?? start.oldestKeptMs,
        // What was sought and found lies before the start: only the very oldest frame tells what the host no longer has.
        startKeptSinceMs: start.oldestKeptMs ?? (start.seq === null ? (window.first?.timeMs ?? null) : null),
        gaps: window.gaps.map(({ from, to, reason }) => ({ from: cursorOf(from), to: cursorOf(to), reason })),
        verdict: verdictOf(window),
      };
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

function textOf(facts: RelayState): { facts: RelayState; text: SourceState } {
  return { facts, text: writeState(facts) };
}

function cursorOf({ seq, timeMs }: Position): Cursor {
  return cursorAt(seq, timeMs);
}

function toCursor(position: Position | null): Cursor | null {
  return position === null ? null : cursorOf(position);
}
