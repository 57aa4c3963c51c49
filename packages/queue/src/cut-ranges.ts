/**
 * Ranges of repositories, cut to what a batch may hold. What a range proves can be cut at every record: it then proves up to
 * that record, and the next one proves the rest. A record that fits into no message is a dead entry in its place, so that
 * nobody takes it for deleted.
 */
import { MAX_DEAD_PATH_CHARS } from "@firehose-backfill/core/dead-entry";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent, RangeEvent } from "@firehose-backfill/core/event";
import { keyOf, type RangeMember } from "@firehose-backfill/core/proved-range";
import { fitsAlone, type PackLimits, tooLarge } from "./too-large.ts";

export interface CutOptions {
  readonly batchSize: number;
  /** Of a message, for events. */
  readonly eventBytes: number;
  readonly limits: PackLimits;
}

export interface CutLog {
  readonly fitting: EventLog;
  /** Where in it something begins that has to travel alone: it fits because it compresses. */
  readonly alone: ReadonlySet<number>;
}

/** `log` itself where nothing has to be cut. */
export function cutRanges(log: EventLog, options: CutOptions): CutLog {
  const { batchSize, eventBytes } = options;
  const isFitting = (index: number) => {
    const end = log.groupEnd(index);
    return log.countedBetween(index, end) <= batchSize && log.bytesOf(index, end) <= eventBytes;
  };
  let isWhole = true;
  for (let index = 0; isWhole && index < log.length; index = log.groupEnd(index)) isWhole = isFitting(index);
  if (isWhole) return { fitting: log, alone: new Set() };

  const cutter = new Cutter(log, options);
  for (let index = 0; index < log.length;) {
    const end = log.groupEnd(index);
    if (isFitting(index)) cutter.copy(index, end);
    else {
      const event = log.at(index);
      if (event.kind === "range") cutter.cut(event, index, end);
      else cutter.addLarge(event, index);
    }
    index = end;
  }
  return cutter;
}

class Cutter implements CutLog {
  readonly fitting = new EventLog();
  readonly alone = new Set<number>();
  readonly #log: EventLog;
  readonly #options: CutOptions;

  constructor(log: EventLog, options: CutOptions) {
    this.#log = log;
    this.#options = options;
  }

  copy(start: number, end: number): void {
    for (let index = start; index < end; index++) this.fitting.appendFrom(this.#log, index);
  }

  /** An event that belongs to no range. */
  addLarge(event: FirehoseEvent, index: number): void {
    const { limits } = this.#options;
    const bytes = this.#log.bytesOf(index, index + 1);
    if (fitsAlone(this.#log.slice(index, index + 1), limits)) {
      this.alone.add(this.fitting.length);
      this.fitting.append(event);
    } else this.fitting.append(tooLarge(event, bytes, limits));
  }

  /** As few ranges as hold its records. */
  cut(range: RangeEvent, index: number, end: number): void {
    const { batchSize, eventBytes } = this.#options;
    const log = this.#log;
    // The pieces say other keys than the range does.
    const roomBytes = eventBytes - log.bytesOf(index, index + 1) - 2 * MAX_DEAD_PATH_CHARS;
    let rest = range;
    let first = index + 1;
    let bytes = 0;
    const closeAt = (next: number) => {
      if (next === first) return;
      const isLast = next === end;
      const to = isLast ? range.to : (keyOf(memberAt(log, next - 1)) ?? range.to);
      this.fitting.append({ ...rest, to, records: next - first });
      this.copy(first, next);
      rest = { ...rest, from: to, records: end - next };
      first = next;
      bytes = 0;
    };
    for (let at = index + 1; at < end; at++) {
      const size = log.bytesOf(at, at + 1);
      if (at - first === batchSize || bytes + size > roomBytes) closeAt(at);
      bytes += size;
      if (size > roomBytes) {
        rest = this.#addLargeMember(rest, at, end);
        first = at + 1;
        bytes = 0;
      }
    }
    closeAt(end);
  }

  /** A range of its own. Returns what is left of the range. */
  #addLargeMember(rest: RangeEvent, at: number, end: number): RangeEvent {
    const { limits } = this.#options;
    const member = memberAt(this.#log, at);
    const to = at + 1 === end ? rest.to : (keyOf(member) ?? rest.to);
    const its: RangeEvent = { ...rest, to, records: 1 };
    const isFitting = fitsAlone(EventLog.of([its, member]).slice(), limits);
    if (isFitting) this.alone.add(this.fitting.length);
    this.fitting.append(its);
    this.fitting.append(isFitting ? member : tooLarge(member, this.#log.bytesOf(at, at + 1), limits));
    return { ...rest, from: to, records: end - at - 1 };
  }
}

function memberAt(log: EventLog, index: number): RangeMember {
  const event = log.at(index);
  if (event.kind !== "record" && event.kind !== "dead")
    throw new RangeError(`an event of the kind ${event.kind} stands among the records of a range`);
  return event;
}
