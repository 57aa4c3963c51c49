/** A window while it is filled with what repositories say. */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { WindowLimits } from "@firehose-backfill/source/window";
import type { ProvedRange } from "../walk/proved-range.ts";
import type { UnavailableState } from "../xrpc/xrpc-error.ts";
import type { RangeLogger } from "./log-range.ts";

export interface Room {
  /** Of the window in which the repository is opened. */
  readonly limits: WindowLimits;
  /** Records that the tick may still take; asked again and again. */
  readonly roomLeft: () => number;
}

export class WindowOfRepos {
  readonly log: EventLog;
  readonly #limits: WindowLimits;
  readonly #ranges: RangeLogger;
  /** What was produced: ranges, markers, dead entries. */
  units = 0;
  received = 0;
  /** For how many events it counts: a range by its records, an empty one as one. */
  counted = 0;

  constructor(log: EventLog, limits: WindowLimits, ranges: RangeLogger) {
    this.log = log;
    this.#limits = limits;
    this.#ranges = ranges;
  }

  get isFull(): boolean {
    return this.counted >= this.#limits.maxEvents || this.log.byteLength >= this.#limits.maxBytes;
  }

  /** How many events may still come, in this window and in those after it that the reader has room for. */
  get roomLeft(): number {
    const { maxEvents, tickEvents = maxEvents } = this.#limits;
    return Math.max(0, tickEvents - this.counted);
  }

  /** false: it has to wait for the next window. */
  hasRoomFor(range: ProvedRange): boolean {
    if (this.units === 0 && this.#limits.takeFirstWhole) return true;
    const bytes = range.records.reduce((sum, record) => sum + record.bytes.length, 0);
    const isTooMuch = this.units > 0 && this.log.byteLength + bytes > this.#limits.maxBytes;
    return this.counted + countOf(range) <= this.#limits.maxEvents && !isTooMuch;
  }

  addRange(range: ProvedRange): void {
    this.#ranges.append(this.log, range);
    this.units += 1;
    this.received += range.records.length;
    this.counted += countOf(range);
  }

  /** Observed now; it has no place in a stream. */
  addInactive(did: string, state: UnavailableState, nowMs: number): void {
    this.log.append({ kind: "account", seq: 0, timeMs: nowMs, did, active: false, status: state });
    this.#addOne();
  }

  addDead(
    did: string | null,
    { reason, error }: { readonly reason: string; readonly error: string },
    nowMs: number,
  ): void {
    this.log.append(deadEntry({ seq: 0, timeMs: nowMs, did, path: null, reason, error, payload: new Uint8Array() }));
    this.#addOne();
  }

  #addOne(): void {
    this.units += 1;
    this.received += 1;
    this.counted += 1;
  }
}

function countOf({ records }: ProvedRange): number {
  return Math.max(1, records.length);
}
