/** A window while it is being read: what it holds, whether more fits, and why it ends. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import type { Extract, SignedCommit } from "./extract-parts.ts";
import type { Gap } from "./gap-proof.ts";
import type { RelayState } from "./relay-state.ts";
import type { Window, WindowEnd, WindowLimits } from "./types.ts";

/** A commit whose signature is to be verified, and which of the window's events depend on it. */
export interface PendingSignature {
  readonly signed: SignedCommit;
  readonly firstEvent: number;
  readonly endEvent: number;
}

export interface Ending {
  readonly because: WindowEnd;
  readonly detail: string | null;
}

/** Why a frame brought no event. */
export type IgnoredReason = "unknown-type" | "info" | "no-operations" | "duplicate";

export class WindowBuilder {
  readonly #limits: WindowLimits;
  readonly #from: Position | null;
  readonly #skipped = { "before-start": 0, did: 0, collection: 0 };
  readonly #ignored = { "unknown-type": 0, info: 0, "no-operations": 0, duplicate: 0 };
  readonly #gaps: Gap[] = [];
  readonly #replaced = new Map<number, FirehoseEvent>();
  /** A frame's events are appended first; then `refuses` says whether they may stay. */
  readonly events: EventLog;
  readonly pendingSignatures: PendingSignature[] = [];
  #received = 0;
  #frames = 0;
  #readBytes = 0;
  /** Events in the log that take no room. */
  #free = 0;
  #first: Position | null = null;
  #to: Position | null = null;
  #oldestKeptMs: number | null = null;
  #ending: Ending | null = null;

  /** `events` is empty, and the window's from now on. */
  constructor(limits: WindowLimits, from: Position | null, events: EventLog) {
    this.#limits = limits;
    this.#from = from;
    this.events = events;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Events seen, skipped ones included. */
  get received(): number {
    return this.#received;
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  /** The first reason stands. */
  end(because: WindowEnd, detail: string | null = null): void {
    this.#ending ??= { because, detail };
  }

  /**
   * The events from this one on are those of one frame. null: they may stay. Otherwise why they have to wait for the next
   * window; they are taken out again.
   */
  refuses(firstEvent: number): "events" | "bytes" | null {
    const { maxEvents, maxBytes, takeFirstWhole } = this.#limits;
    const { length, byteLength } = this.events;
    if (length === firstEvent) return null;
    const isFirst = firstEvent === this.#free;
    const isTooMany = length - this.#free > maxEvents && !(isFirst && takeFirstWhole);
    // A commit that is larger than the limit alone has to fit somewhere.
    const isTooLarge = byteLength > maxBytes && !isFirst;
    if (!isTooMany && !isTooLarge) return null;
    this.events.truncate(firstEvent);
    return isTooMany ? "events" : "bytes";
  }

  /** A frame that moves the cursor to `position`, whose events are in the log. */
  addFrame(position: Position, extract: Extract, frameBytes: number): void {
    this.#first ??= position;
    this.#to = position;
    this.#countFrame(frameBytes);
    this.#received += extract.received;
    this.#skipped.did += extract.skippedDid;
    this.#skipped.collection += extract.skippedCollection;
    if (extract.signed !== null) {
      const endEvent = this.events.length;
      this.pendingSignatures.push({ signed: extract.signed, firstEvent: endEvent - extract.events, endEvent });
    }
    this.#endIfFull();
  }

  addSkipped(position: Position, events: number, frameBytes: number): void {
    this.#first ??= position;
    this.#to = position;
    this.#countFrame(frameBytes);
    this.#received += events;
    this.#skipped["before-start"] += events;
    this.#endIfFull();
  }

  /** A frame that moves nothing. */
  addIgnored(frameBytes: number, reason: IgnoredReason): void {
    this.#readBytes += frameBytes;
    this.noteIgnored(reason);
    this.#endIfFull();
  }

  /** A frame that holds no event. */
  noteIgnored(reason: IgnoredReason): void {
    this.#ignored[reason]++;
  }

  /** Nothing came, and nothing will: the window ends at this place. */
  standAt(position: Position): void {
    this.#first ??= position;
    this.#to ??= position;
  }

  /** A frame that could not be read, whose dead entry is in the log: the cursor stays at `position`; null: there is none yet. */
  addBadFrame(position: Position | null, frameBytes: number): void {
    this.#first ??= position;
    this.#to ??= position;
    this.#countFrame(frameBytes);
    this.#received++;
    this.#endIfFull();
  }

  /**
   * A frame whose sequence number is not believed, whose dead entry is in the log. It takes no room: a host may send it first
   * on every connection, and a small window would hold nothing else, for ever.
   */
  addOutlier(position: Position | null, frameBytes: number): void {
    this.#free++;
    this.addBadFrame(position, frameBytes);
  }

  /** Something else came of an event than was thought when it was read. */
  replace(index: number, event: FirehoseEvent): void {
    this.#replaced.set(index, event);
  }

  addGap(gap: Gap): void {
    this.#gaps.push(gap);
  }

  noteOldestKept(timeMs: number): void {
    this.#oldestKeptMs = timeMs;
  }

  finish(facts: RelayState): Window {
    const ending = this.#ending ?? { because: "aborted", detail: null };
    return {
      events: this.#replaced.size === 0 ? this.events : this.events.replacing(this.#replaced),
      received: this.#received,
      skipped: aboveZero(this.#skipped),
      ignored: aboveZero(this.#ignored),
      frames: this.#frames,
      bytes: this.#readBytes,
      from: this.#to === null ? null : this.#from,
      to: this.#to,
      first: this.#first,
      ...facts,
      gaps: this.#gaps,
      oldestKeptMs: this.#oldestKeptMs,
      endedBecause: ending.because,
      detail: ending.detail,
    };
  }

  #countFrame(bytes: number): void {
    this.#frames++;
    this.#readBytes += bytes;
  }

  #endIfFull(): void {
    const { maxEvents, maxBytes, maxReadBytes } = this.#limits;
    const kept = this.events.length - this.#free;
    if (kept > 0 && kept >= maxEvents) this.end("events");
    else if ((kept > 0 && this.events.byteLength >= maxBytes) || this.#readBytes >= maxReadBytes) this.end("bytes");
  }
}

function aboveZero(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
