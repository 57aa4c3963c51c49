/** What takes part in the decode and reader benchmarks. One small file a contender, which runs in a process of its own. */

/**
 * records: every record decoded, no hashes. hashed: the same, and record bytes compared with their CIDs (and whatever the
 * contender checks by default). dids: like records, through a filter of 10,000 DIDs that everything passes. no-match: a
 * filter that nothing passes. messages: what our reader does, packed for the
 * queue. receive: frames received and dropped, the floor.
 */
export type Mode = "records" | "hashed" | "dids" | "no-match" | "messages" | "receive";

/** Returns the records that were decoded. */
export type DecodeFrame = (frame: Buffer) => number | Promise<number>;

export interface Tally {
  frames: number;
  records: number;
}

/** Reads a relay at `url` (`ws://host:port`) from `cursor` on, counting, until the signal aborts. */
export type ReadRelay = (url: string, cursor: number, tally: Tally, signal: AbortSignal) => Promise<void>;

/** Applies everything that a relay holds to the table `firehose.records`, and returns how many events that was. */
export type ApplyRelay = (stream: {
  readonly url: string;
  readonly databaseUrl: string;
  readonly headSeq: number;
}) => Promise<number>;

export interface Contender {
  readonly name: string;
  readonly decode?: Readonly<Partial<Record<Mode, DecodeFrame>>>;
  readonly read?: Readonly<Partial<Record<Mode, ReadRelay>>>;
  readonly apply?: ApplyRelay;
}

/** A collection that no recorded operation is in. */
export const NO_SUCH_COLLECTION = "app.example.nothing";
