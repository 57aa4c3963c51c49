/**
 * Stores events one after the other, in the CBOR of a queue message (event-layout.ts). A reader holds thousands of events at a time. As
 * objects, each would be a dozen allocations that live until the window is full. Here they are bytes in one buffer: they are copied
 * out of the frame once, and a message takes them unchanged.
 */
import { CID_LENGTH, digestMatches, isCid } from "../cid.ts";
import type { FirehoseEvent, RecordAction } from "../event.ts";
import { decodeMessage, encodeMessage } from "./encode.ts";
import { actionNumber, layOutEvent, readEvent, RECORD_START } from "./event-layout.ts";
import { EventSlice } from "./event-slice.ts";
import { argumentLength, readArgument, UNSIGNED, writeHead } from "./head.ts";
import { RangePlaces } from "./range-places.ts";
import { BYTES, TEXT, writeString } from "./write-string.ts";

const FIRST_BYTES = 256 * 1024;
/** The largest buffer that the next log reuses. A window that needed more was an exception. */
const MOST_LEFT_BYTES = 8 * 1024 * 1024;
/** Enough for all heads of a record event, its numbers, its action and its CID. */
const OVERHEAD_BYTES = 100;

const NULL = 0xf6;
const FLOAT_64 = 0xfb;

/** Where a record operation is in a frame: offsets into `bytes`. Its texts are ASCII. */
export interface RecordPlaces {
  readonly bytes: Buffer;
  readonly seq: number;
  readonly timeMs: number;
  readonly didStart: number;
  readonly didEnd: number;
  readonly revStart: number;
  readonly revEnd: number;
  readonly action: RecordAction;
  /** `collection/rkey`, and where its slash is. */
  readonly pathStart: number;
  readonly slash: number;
  readonly pathEnd: number;
  /** Offset of the 36 bytes of its CID. -1: a delete, which has no record either. */
  readonly cid: number;
  readonly recordStart: number;
  readonly recordEnd: number;
}

export class EventLog implements Iterable<FirehoseEvent> {
  #bytes: Buffer<ArrayBuffer>;
  #view: DataView;
  /** Where each event ends, and where its record begins; -1: it has no record. */
  readonly #ends: number[] = [];
  readonly #records: number[] = [];
  readonly #ranges = new RangePlaces();

  constructor(memory: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_BYTES)) {
    this.#bytes = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }

  static of(events: Iterable<FirehoseEvent>): EventLog {
    const log = new EventLog();
    for (const event of events) log.append(event);
    return log;
  }

  /** What stands in it, ranges included. For how much it counts: countedBetween(). */
  get length(): number {
    return this.#ends.length;
  }

  get byteLength(): number {
    return this.#startOf(this.#ends.length);
  }

  /** @throws CborError for one that could not be read back */
  append(event: FirehoseEvent): void {
    const encoded = encodeMessage(layOutEvent(event));
    const start = this.#reserve(encoded.length);
    this.#bytes.set(encoded, start);
    const end = start + encoded.length;
    this.#ends.push(end);
    // The last field of a record event is its record.
    const record = event.kind === "record" ? event.record : null;
    if (event.kind === "range") this.#ranges.add(this.#records.length, event.records);
    this.#records.push(record === null ? -1 : end - record.length);
  }

  /** Appends an operation directly from its frame, without creating an object. */
  appendRecord(places: RecordPlaces): void {
    const { bytes, didStart, didEnd, revStart, revEnd, pathStart, slash, pathEnd, recordStart, recordEnd } = places;
    const recordBytes = places.cid === -1 ? 0 : recordEnd - recordStart;
    const textBytes = didEnd - didStart + (pathEnd - pathStart) + (revEnd - revStart);
    let at = this.#reserve(OVERHEAD_BYTES + textBytes + recordBytes);
    const log = this.#bytes;
    log[at++] = RECORD_START[0];
    log[at++] = RECORD_START[1];
    at = this.#writeNumber(at, places.seq);
    at = this.#writeNumber(at, places.timeMs);
    at = writeString(log, at, TEXT, bytes, didStart, didEnd);
    log[at++] = actionNumber(places.action);
    at = writeString(log, at, TEXT, bytes, pathStart, slash);
    at = writeString(log, at, TEXT, bytes, slash + 1, pathEnd);
    at = writeString(log, at, TEXT, bytes, revStart, revEnd);
    if (places.cid === -1) {
      log[at++] = NULL;
      log[at++] = NULL;
      this.#records.push(-1);
    } else {
      at = writeString(log, at, BYTES, bytes, places.cid, places.cid + CID_LENGTH);
      at = writeString(log, at, BYTES, bytes, recordStart, recordEnd);
      this.#records.push(at - recordBytes);
    }
    this.#ends.push(at);
  }

  /** Removes this event and all after it. */
  truncate(length: number): void {
    this.#ends.length = length;
    this.#records.length = length;
    this.#ranges.truncate(length);
  }

  /** The event, in its own memory. @throws RangeError if there is none, or if the log was renewed */
  at(index: number): FirehoseEvent {
    const start = this.#startOf(index);
    return readEvent(decodeMessage(this.#bytes.subarray(start, this.#endOf(index))));
  }

  seqAt(index: number): number {
    const end = this.#endOf(index);
    const at = this.#startOf(index) + RECORD_START.length;
    return this.#bytes[at] === FLOAT_64 ? this.#view.getFloat64(at + 1) : readArgument(this.#bytes, at, end);
  }

  /** The record's block, as a view into the log. null: a delete, or not a record event. */
  recordAt(index: number): Uint8Array | null {
    const end = this.#endOf(index);
    const start = this.#records[index] ?? -1;
    return start === -1 ? null : new Uint8Array(this.#bytes.buffer, start, end - start);
  }

  /** Whether the event's CID names this block. Costs one sha-256. */
  hashMatchesAt(index: number, block: Uint8Array): boolean {
    const start = this.#records[index] ?? -1;
    // The CID is the field before the record.
    const cid = start - argumentLength(this.#endOf(index) - start) - CID_LENGTH;
    return start !== -1 && isCid(this.#bytes, cid) && digestMatches(this.#bytes, cid, block);
  }

  *[Symbol.iterator](): Iterator<FirehoseEvent> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  slice(start = 0, end = this.length): EventSlice {
    return new EventSlice(this, start, end);
  }

  /** Encoded bytes of the events between two indexes. */
  bytesOf(start: number, end: number): number {
    return this.#startOf(end) - this.#startOf(start);
  }

  /** For how many events those between two indexes count, in a batch and on the pace: see range-places.ts. */
  countedBetween(start: number, end: number): number {
    return end - start - this.#ranges.uncountedBetween(start, end);
  }

  get counted(): number {
    return this.countedBetween(0, this.length);
  }

  rangesBetween(start: number, end: number): number {
    return this.#ranges.between(start, end);
  }

  /** Where the events end that must not be parted from this one: the records of a range. */
  groupEnd(index: number): number {
    return index + 1 + this.#ranges.recordsOf(index);
  }

  copyTo(target: Uint8Array, at: number, start: number, end: number): void {
    target.set(this.#bytes.subarray(this.#startOf(start), this.#startOf(end)), at);
  }

  /** Appends a copy of an event of another log. */
  appendFrom(log: EventLog, index: number): void {
    if (log.rangesBetween(index, index + 1) > 0) return this.append(log.at(index));
    const bytes = log.bytesOf(index, index + 1);
    const start = this.#reserve(bytes);
    log.copyTo(this.#bytes, start, index, index + 1);
    const recordBytes = log.recordAt(index)?.length;
    this.#ends.push(start + bytes);
    this.#records.push(recordBytes === undefined ? -1 : start + bytes - recordBytes);
  }

  /** A copy of the log in which the events with these indexes are replaced, or left out where there is null. */
  replacing(others: ReadonlyMap<number, FirehoseEvent | null>): EventLog {
    const log = new EventLog();
    for (let index = 0; index < this.length; index++) {
      const other = others.get(index);
      if (other !== null) log.append(other ?? this.at(index));
    }
    return log;
  }

  /** Returns an empty log that takes over this one's memory; this one cannot be read any more. */
  renew(): EventLog {
    const memory = this.#bytes;
    this.truncate(0);
    this.#bytes = Buffer.allocUnsafeSlow(0);
    return memory.length === 0 || memory.length > MOST_LEFT_BYTES ? new EventLog() : new EventLog(memory);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#endOf(index - 1);
  }

  #endOf(index: number): number {
    const end = this.#ends[index];
    if (end === undefined) throw new RangeError(`there is no event ${index} in a log of ${this.#ends.length}`);
    return end;
  }

  /** Makes room for so many bytes and returns where it begins. */
  #reserve(bytes: number): number {
    const start = this.byteLength;
    if (start + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, start + bytes));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  /** As cbor-x does: a number that does not fit into 32 bits is written as a float. */
  #writeNumber(at: number, value: number): number {
    if (value >>> 0 === value) return writeHead(this.#bytes, at, UNSIGNED, value);
    this.#bytes[at] = FLOAT_64;
    this.#view.setFloat64(at + 1, value);
    return at + 9;
  }
}
