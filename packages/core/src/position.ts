/** A position in one host's stream: the sequence number and the time of its frame. */
export interface Position {
  /** Valid only for the host it came from. 0 means "before the oldest frame". */
  readonly seq: number;
  /** Milliseconds since the epoch, from the frame. The relay does not check it. */
  readonly timeMs: number;
}
