/** Makes an EventSource of the reader of a relay. Its windows get the words of the port, and what it has to remember becomes the source state. */
import type { Position } from "@firehose-backfill/core/position";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { EventSource, SourceState, Window } from "@firehose-backfill/source/window";
import type { FoundStart } from "./find-start.ts";
import { type RelayState, writeState } from "./relay-state.ts";
import { verdictOf } from "./relay-verdict.ts";
import type { FirehoseReader, Window as RelayWindow } from "./types.ts";

export interface OpenedWith {
  /** The state that the reader was opened with, and the text of it that is stored. */
  readonly state: RelayState;
  readonly stored: SourceState | null;
  readonly start: FoundStart;
}

export function relaySource(reader: FirehoseReader, { state: opened, stored, start }: OpenedWith): EventSource {
  /** The state at the end of the last window that moved the cursor. */
  let atCursor = opened;
  let last = { facts: opened, text: stored };

  /** Makes a new text only if the state has changed, because the text is stored again only then. */
  const stateOf = (window: RelayWindow): SourceState | null => {
    const { hostSeen, brokenFrames, startReached, recentTimesMs } = window;
    if (window.to === null) {
      const isNews = hostSeen !== last.facts.hostSeen || brokenFrames !== last.facts.brokenFrames;
      if (isNews) last = textOf({ ...atCursor, hostSeen, brokenFrames });
    } else {
      // The window moved the cursor, so the host was seen.
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
        // A start that was found by search lies before the start point. Then only the oldest frame shows what the host no longer has.
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
