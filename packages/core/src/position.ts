/** A place in one host's stream: the sequence number and the time its frame carried. */
export interface Position {
  /** Scoped to the host it came from; never carried to another one. 0 means "before the oldest frame". */
  readonly seq: number;
  /** Milliseconds since the epoch, as the frame said it. Not vouched for by the relay. */
  readonly timeMs: number;
}
