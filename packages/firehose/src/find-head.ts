/** Finds where a stream ends now. A host with traffic shows it at once on a live connection. On a quiet host it is searched for. */
import type { Position } from "@firehose-backfill/core/position";
import type { StreamSample } from "./sample.ts";

/** Looks at the stream behind a cursor; `cursor` null: live. Gives null if no frame is there. @throws SurveyError */
export type Look = (cursor: number | null, untilSeq: number | null) => Promise<StreamSample | null>;

/** An error of so many frames does not matter for an estimate. */
const NEAR_FRAMES = 500;
const FIRST_STRIDE = 4_096;
const MAX_LOOKS = 24;

/** The last frame that was seen. On a quiet host it may be up to 500 below the real head. @throws SurveyError */
export async function findHead(look: Look, oldest: Position): Promise<Position> {
  const live = await look(null, null);
  if (live !== null) return live.first;
  let low = (await look(Math.max(0, oldest.seq - 1), null))?.last ?? oldest;
  /** No frame has a higher number. null: not known yet. */
  let high: number | null = null;
  let stride = 0;
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    if (high !== null && high - low.seq <= NEAR_FRAMES) break;
    const cursor: number = high === null ? low.seq + stride : low.seq + Math.ceil((high - low.seq) / 2);
    const sample = await look(cursor, null);
    // If the frames are below the cursor, the cursor was above the head, and the host sends live frames without saying so.
    if (sample !== null && sample.first.seq >= cursor) low = sample.last;
    else high = cursor;
    if (high !== null && high <= low.seq) break;
    stride = stride === 0 ? FIRST_STRIDE : stride * 4;
  }
  return low;
}
