/** The relay as a source. A composition root makes the kit once, and each tick opens a reader with it. The reader itself knows nothing of runs. */
import type { ResolveKey } from "@firehose-backfill/core/did-resolver";
import type { OpenOptions, SourceKit } from "@firehose-backfill/source/kit";
import type { EventSource } from "@firehose-backfill/source/window";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { compileFilter } from "./filter.ts";
import { findStart, type FindStartDeps } from "./find-start.ts";
import { openFirehoseReader } from "./reader.ts";
import { movedState, readState, type RelayState } from "./relay-state.ts";
import { relaySource } from "./relay-source.ts";
import { seekCursor } from "./seek.ts";
import { type RelayOptions, relaySurveyor, urlOf } from "./surveyor.ts";
import type { InvertCommit, OpenFirehoseReader, ReadPosition } from "./types.ts";

export interface RelayKitOptions extends RelayOptions {
  /** Finds keys for BACKFILL_VERIFY=signature. If it is left out, a tick of a run with that setting fails. */
  readonly resolveKey?: ResolveKey;
  /** Undoes commits for BACKFILL_VERIFY=inversion. If it is left out, a tick of a run with that setting fails. */
  readonly invertCommit?: InvertCommit;
  readonly openReader?: OpenFirehoseReader;
  /** Searches for the beginning of a start by time. null: there is no search, and what comes before the start is read and skipped. */
  readonly seekCursor?: FindStartDeps["seekCursor"];
}

export function relayKit(options: RelayKitOptions): SourceKit {
  const { clock, random, userAgent, sampleRelayUrl } = options;
  const { resolveKey, invertCommit, openReader = openFirehoseReader } = options;
  const seek = options.seekCursor === undefined ? seekCursor : options.seekCursor;
  return {
    survey: relaySurveyor({ clock, random, userAgent, sampleRelayUrl }).survey,

    async open(run): Promise<EventSource> {
      const url = urlOf(run.scope, sampleRelayUrl);
      if (url === null) throw new Error("RELAY_URL is not set, and there is no sample relay here");
      const stored = readState(run.state);
      const state = run.isMoved ? movedState(stored, run.cursor !== null) : stored;
      const finding = { ...run, startReached: state.startReached };
      const start = await findStart({ clock, random, userAgent, seekCursor: seek }, finding, url);
      const position = positionOf(run, state);
      const reader = openReader({
        url,
        position: start.seq === null ? position : { ...position, start: { seq: start.seq } },
        filter: compileFilter(run.scope),
        verify: run.scope.verify,
        ...(resolveKey === undefined ? {} : { resolveKey }),
        ...(invertCommit === undefined ? {} : { invertCommit }),
        clock,
        random,
        userAgent,
        isMemoryTight: run.isMemoryTight,
        memoryCheckInterval: run.memoryCheckInterval,
        onLog: (message) => run.log(`[BACKFILL] ${escapeForLog(message)}`),
      });
      return relaySource(reader, { state, stored: run.state, start });
    },
  };
}

/** The position of the run, in the words of the reader. */
function positionOf(
  run: Pick<OpenOptions, "cursor" | "start" | "end" | "createdAtMs">,
  state: RelayState,
): ReadPosition {
  const { cursor, start, end, createdAtMs } = run;
  return {
    // The cursors of a relay always have a time.
    cursor: cursor === null ? null : { seq: cursor.ordinal, timeMs: cursor.timeMs ?? createdAtMs },
    start: start.kind === "seq" ? { seq: start.seq } : start.kind === "live" ? "live" : "oldest",
    startTimeMs: start.kind === "time" ? start.timeMs : null,
    ...state,
    endTimeMs: end.kind === "time" ? end.timeMs : end.kind === "seq" ? Number.POSITIVE_INFINITY : createdAtMs,
    endSeq: end.kind === "seq" ? end.seq : null,
    // A reader lives for one tick, so it has to be told when a longer wait began.
    ...(state.hostSeen ? {} : { silentSinceMs: createdAtMs }),
  };
}
