/** What takes part in the decode and reader benchmarks. Each contender is one small file and runs in its own process. */

/**
 * records: every record is decoded, without hashes. hashed: the same, and record bytes are compared with their CIDs (and with whatever
 * else the contender checks by default). dids: like records, with a filter of 10,000 DIDs that everything passes. no-match: a
 * filter that nothing passes. chain, chain-no-match, inversion: hashed or no-match at those levels of BACKFILL_VERIFY. messages: what our reader does, packed for the queue. receive: frames are received and dropped, which is
 * the lower bound.
 */
export type Mode =
  | "records"
  | "hashed"
  | "dids"
  | "no-match"
  | "chain"
  | "chain-no-match"
  | "inversion"
  | "messages"
  | "receive";

/** Returns the number of decoded records. */
export type DecodeFrame = (frame: Buffer) => number | Promise<number>;

export interface Tally {
  frames: number;
  records: number;
}

/** Reads a relay at `url` (`ws://host:port`) from `cursor` on and counts, until the signal aborts. */
export type ReadRelay = (url: string, cursor: number, tally: Tally, signal: AbortSignal) => Promise<void>;

/** Applies everything that a relay has to the table `firehose.records`, and returns the number of events. */
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

/** A collection that occurs in no recorded operation. */
export const NO_SUCH_COLLECTION = "app.example.nothing";
