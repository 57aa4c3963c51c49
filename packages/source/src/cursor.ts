/** Bytes of UTF-8 that a source may store in a token, and in its state. A store refuses more. */
export const MAX_SOURCE_TEXT_BYTES = 2_048;

/** Where a run stands in its source. */
export interface Cursor {
  /** Only grows within a source, and means nothing in another one. For a relay: the sequence number; 0 is before its oldest frame. */
  readonly ordinal: number;
  /** Milliseconds since the epoch, as the source says it; nobody vouches for it. null: the source has no time here. */
  readonly timeMs: number | null;
  /** What the source needs beside the ordinal to go on from here. Opaque. null: nothing. */
  readonly token: string | null;
}

/** Of a source that needs an ordinal and a time alone. */
export function cursorAt(ordinal: number, timeMs: number | null): Cursor {
  return { ordinal, timeMs, token: null };
}
