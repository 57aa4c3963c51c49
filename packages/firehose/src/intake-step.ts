/** What one frame comes to, for the owner of the connection. */
import type { Position } from "@firehose-backfill/core/position";
import type { WindowEnd } from "./types.ts";

/** What the owner of the connection has to do about a frame. */
export type Step =
  /** Done with; `isGood`: the host serves us. */
  | { readonly kind: "taken"; readonly isGood: boolean; readonly events: number }
  /** It stays where it is: the window is over. */
  | { readonly kind: "full"; readonly because: "events" | "bytes" }
  /** It stays where it is until it is known whether there is a gap before it. */
  | { readonly kind: "suspicious"; readonly cursor: Position; readonly first: Position }
  /** The connection is of no more use. */
  | { readonly kind: "reconnect"; readonly detail: string }
  /** The stream ends here; the frame is not taken. */
  | { readonly kind: "end"; readonly because: WindowEnd; readonly detail: string };
