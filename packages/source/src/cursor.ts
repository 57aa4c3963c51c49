/** The most bytes of UTF-8 in a token and in a source state. A store refuses more. */
export const MAX_SOURCE_TEXT_BYTES = 2_048;
/** A source whose state may be longer than this once it is deflated (raw) shortens it: the run item holds it so, and stays under 4 KB. */
export const MAX_DEFLATED_STATE_BYTES = 1_000;

/** Where a run stands in its source. */
export interface Cursor {
  /** Only grows within a source, and has no meaning in another one. For a relay: the sequence number; 0 is before its oldest frame. */
  readonly ordinal: number;
  /** Milliseconds since the epoch, as the source gives it, unchecked. null: the source has no time here. */
  readonly timeMs: number | null;
  /** What the source needs in addition to the ordinal to continue from here. Opaque. null: nothing. */
  readonly token: string | null;
}

/** A cursor of a source that needs only an ordinal and a time. */
export function cursorAt(ordinal: number, timeMs: number | null): Cursor {
  return { ordinal, timeMs, token: null };
}
