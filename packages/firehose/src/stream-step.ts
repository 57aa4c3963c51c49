/** What the reader has to do after one frame. */
import type { Position } from "@firehose-backfill/core/position";
import type { Suspicion } from "./gap-proof.ts";
import type { WindowEnd } from "./types.ts";

/** What the reader, which owns the connection, has to do about a frame. */
export type Step =
  /** The frame is done. `isGood`: it shows that the host serves us. */
  | { readonly kind: "taken"; readonly isGood: boolean }
  /** The frame stays in front, and the window is over. */
  | { readonly kind: "full"; readonly because: "events" | "bytes" }
  /** The frame stays in front until it is known whether there is a gap before it. */
  | ({ readonly kind: "suspicious" } & Suspicion)
  /** The frame stays in front until the frames behind it decide whether its sequence number is believed. */
  | { readonly kind: "doubted" }
  /** The connection has to be replaced. */
  | { readonly kind: "reconnect"; readonly detail: string }
  /** The stream ends here, and the frame is not taken. */
  | { readonly kind: "end"; readonly because: WindowEnd; readonly detail: string };

/** The frame is done, and it does not show that the host serves us. */
export const IGNORED: Step = { kind: "taken", isGood: false };

/**
 * The frame is below the cursor that was asked for, or below the frame before it. If the cursor was above the head, some hosts
 * send live frames without saying so. Then it is the first frame of all, and it is no older than the cursor.
 */
export function wentBack(
  frame: { readonly seq: number; readonly timeMs: number },
  place: { readonly after: number; readonly cursor: Position | null; readonly isFirst: boolean },
): Step {
  const { after, cursor, isFirst } = place;
  const isNewer = cursor === null || Number.isNaN(frame.timeMs) || frame.timeMs >= cursor.timeMs;
  if (isFirst && isNewer) return cursorAhead(after, `its first frame is seq ${frame.seq}`);
  return { kind: "end", because: "seq-went-back", detail: `seq ${frame.seq} came after ${after}` };
}

export function cursorAhead(cursor: number | null, detail: string): Step {
  const said = detail === "" ? "" : `: ${detail}`;
  return { kind: "end", because: "cursor-ahead", detail: `the cursor ${cursor ?? 0} is above the host's head${said}` };
}
