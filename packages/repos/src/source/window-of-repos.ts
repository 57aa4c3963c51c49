/** A window while it is filled with what repositories say. */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { WindowLimits } from "@firehose-backfill/source/window";
import type { ProvedRange } from "../walk/proved-range.ts";
import type { UnavailableState } from "../xrpc/xrpc-error.ts";
import { logRange } from "./log-range.ts";

export class WindowOfRepos {
  readonly log: EventLog;
  readonly #limits: WindowLimits;
  /** What was produced: ranges, markers, dead entries. */
  units = 0;
  received = 0;
  /** For how many events it counts: a range by its records, an empty one as one. */
  counted = 0;

  constructor(log: EventLog, limits: WindowLimits) {
    this.log = log;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.counted >= this.#limits.maxEvents || this.log.byteLength >= this.#limits.maxBytes;
  }

  /** false: it has to wait for the next window. */
  hasRoomFor(range: ProvedRange): boolean {
    if (this.units === 0 && this.#limits.takeFirstWhole) return true;
    const bytes = range.records.reduce((sum, record) => sum + record.bytes.length, 0);
    const isTooMuch = this.units > 0 && this.log.byteLength + bytes > this.#limits.maxBytes;
    return this.counted + countOf(range) <= this.#limits.maxEvents && !isTooMuch;
  }

  addRange(range: ProvedRange): void {
    logRange(this.log, range);
    this.units += 1;
    this.received += range.records.length;
    this.counted += countOf(range);
  }

  /** Observed now; it has no place in a stream. */
  addInactive(did: string, state: UnavailableState, nowMs: number): void {
    this.log.append({ kind: "account", seq: 0, timeMs: nowMs, did, active: false, status: state });
    this.#addOne();
  }

  addDead(did: string, { reason, error }: { readonly reason: string; readonly error: string }, nowMs: number): void {
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
