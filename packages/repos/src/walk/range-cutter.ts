/**
 * Cuts a stream of records, in key order, into ranges without gaps: together they cover all wanted keys. A range ends where its collection
 * ends, or where it has reached its size limit.
 */
import { collectionEnd, collectionStart, type KeyInterval } from "@firehose-backfill/core/key-interval";
import type { RangeRecord } from "./proved-range.ts";

export interface CutRange {
  readonly collection: string | null;
  readonly from: string;
  readonly to: string;
  readonly records: readonly RangeRecord[];
}

export interface RangeLimits {
  readonly maxRecords: number;
  /** Bytes of blocks and keys. A record that is larger gets a range of its own. */
  readonly maxBytes: number;
  /** What each record takes beside block and key, where the range goes. Left out: nothing. */
  readonly bytesBeside?: number;
}

export class RangeCutter {
  readonly #intervals: readonly KeyInterval[];
  readonly #limits: RangeLimits;
  #index = 0;
  #from: string;
  /** The collection that `#from` lies in; null: between collections. */
  #collection: string | null;
  #records: RangeRecord[] = [];
  #bytes = 0;
  #done: CutRange[] = [];

  /** The intervals must be in ascending order. */
  constructor(intervals: readonly KeyInterval[], limits: RangeLimits) {
    this.#intervals = intervals;
    this.#limits = limits;
    this.#from = intervals[0]?.from ?? "";
    this.#collection = collectionOf(this.#from);
  }

  /** Returns the ranges that end before this record, which must be within an interval. */
  add(record: RangeRecord): readonly CutRange[] {
    const { key, bytes } = record;
    while (key > (this.#intervals[this.#index]?.to ?? "\uffff")) this.#endInterval();
    const collection = collectionOf(key);
    if (collection !== this.#collection && collection !== null) this.#enter(collection);
    const size = key.length + bytes.length + (this.#limits.bytesBeside ?? 0);
    const { maxRecords, maxBytes } = this.#limits;
    const last = this.#records.at(-1);
    if (last !== undefined && (this.#records.length >= maxRecords || this.#bytes + size > maxBytes))
      this.#cut(last.key);
    this.#records.push(record);
    this.#bytes += size;
    return this.#take();
  }

  /** Returns the remaining ranges. */
  finish(): readonly CutRange[] {
    while (this.#index < this.#intervals.length) this.#endInterval();
    return this.#take();
  }

  #enter(collection: string): void {
    this.#leave();
    const start = collectionStart(collection);
    if (this.#from < start) this.#cut(start);
    this.#collection = collection;
  }

  /** Ends the range of the current collection, if there is one. */
  #leave(): void {
    if (this.#collection === null) return;
    const interval = this.#intervals[this.#index];
    const end = collectionEnd(this.#collection);
    this.#cut(interval !== undefined && interval.to < end ? interval.to : end);
    this.#collection = null;
  }

  #endInterval(): void {
    const interval = this.#intervals[this.#index];
    this.#leave();
    if (interval !== undefined && this.#from < interval.to) this.#cut(interval.to);
    this.#index += 1;
    this.#from = this.#intervals[this.#index]?.from ?? "\uffff";
    this.#collection = collectionOf(this.#from);
  }

  #cut(to: string): void {
    this.#done.push({ collection: this.#collection, from: this.#from, to, records: this.#records });
    this.#from = to;
    this.#records = [];
    this.#bytes = 0;
  }

  #take(): readonly CutRange[] {
    if (this.#done.length === 0) return NONE;
    const done = this.#done;
    this.#done = [];
    return done;
  }
}

const NONE: readonly CutRange[] = [];

function collectionOf(key: string): string | null {
  const slash = key.indexOf("/");
  return slash === -1 ? null : key.slice(0, slash);
}
