/** Where a stream ends now. A host with traffic shows it at once, live; on a quiet one it is searched for. */
import type { Position } from "@firehose-backfill/core/position";
import type { StreamSample } from "./sample.ts";

/** null: nothing is there. `cursor` null: live. @throws SurveyError */
export type Look = (cursor: number | null, untilSeq: number | null) => Promise<StreamSample | null>;

/** So many frames more or less do not matter to an estimate. */
const NEAR_FRAMES = 500;
const FIRST_STRIDE = 4_096;
const MAX_LOOKS = 24;

/** The last frame that is known; on a quiet host at most a few hundred below the real head. @throws SurveyError */
export async function findHead(look: Look, oldest: Position): Promise<Position> {
  const live = await look(null, null);
  if (live !== null) return live.first;
  let low = (await look(Math.max(0, oldest.seq - 1), null))?.last ?? oldest;
  /** Nothing is above it. */
  let high: number | null = null;
  let stride = 0;
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    if (high !== null && high - low.seq <= NEAR_FRAMES) break;
    const cursor: number = high === null ? low.seq + stride : low.seq + Math.ceil((high - low.seq) / 2);
    const sample = await look(cursor, null);
    // Frames below the cursor: it was above the head, and the host went live in silence.
    if (sample !== null && sample.first.seq >= cursor) low = sample.last;
    else high = cursor;
    if (high !== null && high <= low.seq) break;
    stride = stride === 0 ? FIRST_STRIDE : stride * 4;
  }
  return low;
}
