/** What one frame comes to, for the owner of the connection. */
import type { Position } from "@firehose-backfill/core/position";
import type { Suspicion } from "./gap-proof.ts";
import type { WindowEnd } from "./types.ts";

/** What the owner of the connection has to do about a frame. */
export type Step =
  /** Done with; `isGood`: the host serves us. */
  | { readonly kind: "taken"; readonly isGood: boolean }
  /** It stays where it is: the window is over. */
  | { readonly kind: "full"; readonly because: "events" | "bytes" }
  /** It stays where it is until it is known whether there is a gap before it. */
  | ({ readonly kind: "suspicious" } & Suspicion)
  /** It stays where it is until the frames behind it say whether its sequence number is believed. */
  | { readonly kind: "doubted" }
  /** The connection is of no more use. */
  | { readonly kind: "reconnect"; readonly detail: string }
  /** The stream ends here; the frame is not taken. */
  | { readonly kind: "end"; readonly because: WindowEnd; readonly detail: string };

/** Done with; it proves nothing of the host. */
export const IGNORED: Step = { kind: "taken", isGood: false };

/**
 * A frame below the cursor that was asked for, or below the frame before it. A host that was asked for what is above its
 * head, and went live in silence, looks like that too: then the first frame of all is no older than the cursor.
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
