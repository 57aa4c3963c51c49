/** Consecutive events of a log: a batch takes them without a copy. */
import type { FirehoseEvent } from "../event.ts";

/** What a slice needs of its log (event-log.ts). */
interface SlicedLog {
  at(index: number): FirehoseEvent;
  seqAt(index: number): number;
  bytesOf(start: number, end: number): number;
  countedBetween(start: number, end: number): number;
  rangesBetween(start: number, end: number): number;
  copyTo(target: Uint8Array, at: number, start: number, end: number): void;
}

/** Consecutive events of a log. Valid as long as the log is. */
export class EventSlice implements Iterable<FirehoseEvent> {
  readonly #log: SlicedLog;
  readonly #start: number;
  readonly length: number;

  constructor(log: SlicedLog, start: number, end: number) {
    this.#log = log;
    this.#start = start;
    this.length = end - start;
  }

  get byteLength(): number {
    return this.#log.bytesOf(this.#start, this.#start + this.length);
  }

  /** The number of events that it counts as. */
  get counted(): number {
    return this.#log.countedBetween(this.#start, this.#start + this.length);
  }

  get hasRanges(): boolean {
    return this.#log.rangesBetween(this.#start, this.#start + this.length) > 0;
  }

  /** The sequence number of its event with this index. */
  seqAt(index: number): number {
    return this.#log.seqAt(this.#start + index);
  }

  copyTo(target: Uint8Array, at: number): void {
    this.#log.copyTo(target, at, this.#start, this.#start + this.length);
  }

  *[Symbol.iterator](): Iterator<FirehoseEvent> {
    for (let index = 0; index < this.length; index++) yield this.#log.at(this.#start + index);
  }
}
