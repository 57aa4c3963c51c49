/** Builds a window while it is read: what it holds, whether more fits, and why it ends. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import type { Extract, SignedCommit } from "./extract-parts.ts";
import type { Gap } from "./gap-proof.ts";
import type { RelayState } from "./relay-state.ts";
import type { Window, WindowEnd, WindowLimits } from "./types.ts";

/** A commit whose signature has to be verified, and the events of the window that depend on it. */
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
  readonly #replaced = new Map<number, FirehoseEvent | null>();
  /** The events of a frame are appended first. Then `refuses` says whether they may stay. */
  readonly events: EventLog;
  readonly pendingSignatures: PendingSignature[] = [];
  #received = 0;
  #frames = 0;
  #readBytes = 0;
  /** How many events in the log do not count for the limits. */
  #free = 0;
  #first: Position | null = null;
  #to: Position | null = null;
  #oldestKeptMs: number | null = null;
  #ending: Ending | null = null;

  /** `events` is empty, and from now on it belongs to the window. */
  constructor(limits: WindowLimits, from: Position | null, events: EventLog) {
    this.#limits = limits;
    this.#from = from;
    this.events = events;
  }

  get frames(): number {
    return this.#frames;
  }

  /** All events that came, with skipped and dead ones. */
  get received(): number {
    return this.#received;
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  /** Only the first reason counts. */
  end(because: WindowEnd, detail: string | null = null): void {
    this.#ending ??= { because, detail };
  }

  /**
   * The events from `firstEvent` on are those of one frame. null: they may stay. Otherwise they are taken out again and have to
   * wait for the next window, for the reason that is returned.
   */
  refuses(firstEvent: number): "events" | "bytes" | null {
    const { maxEvents, maxBytes, takeFirstWhole } = this.#limits;
    const { length, byteLength } = this.events;
    if (length === firstEvent) return null;
    const isFirst = firstEvent === this.#free;
    const isTooMany = length - this.#free > maxEvents && !(isFirst && takeFirstWhole);
    // A commit that alone is larger than the limit has to fit into some window, so the first one may be that large.
    const isTooLarge = byteLength > maxBytes && !isFirst;
    if (!isTooMany && !isTooLarge) return null;
    this.events.truncate(firstEvent);
    return isTooMany ? "events" : "bytes";
  }

  /** A frame moves the cursor to `position`. Its events are in the log. */
  addFrame(position: Position, extract: Extract, frameBytes: number): void {
    this.#moveTo(position, extract.received, frameBytes);
    this.#skipped.did += extract.skippedDid;
    this.#skipped.collection += extract.skippedCollection;
    if (extract.signed !== null) {
      const endEvent = this.events.length;
      this.pendingSignatures.push({ signed: extract.signed, firstEvent: endEvent - extract.events, endEvent });
    }
    this.#endIfFull();
  }

  addSkipped(position: Position, events: number, frameBytes: number): void {
    this.#moveTo(position, events, frameBytes);
    this.#skipped["before-start"] += events;
    this.#endIfFull();
  }

  /** A frame does not move the cursor. */
  addIgnored(frameBytes: number, reason: IgnoredReason): void {
    this.#readBytes += frameBytes;
    this.noteIgnored(reason);
    this.#endIfFull();
  }

  /** A frame holds no event. */
  noteIgnored(reason: IgnoredReason): void {
    this.#ignored[reason]++;
  }

  /** The stream is over and brought nothing. The window ends at this position. */
  standAt(position: Position): void {
    this.#first ??= position;
    this.#to ??= position;
  }

  /** A frame could not be read. Its dead entry is in the log, and the cursor stays at `position`. null: there is no cursor yet. */
  addBadFrame(position: Position | null, frameBytes: number): void {
    this.#moveTo(this.#to ?? position, 1, frameBytes);
    this.#endIfFull();
  }

  /**
   * The sequence number of a frame is not believed. Its dead entry is in the log. It does not count for the limits, because a host
   * may send it first on every connection, and then a small window would never hold anything else.
   */
  addOutlier(position: Position | null, frameBytes: number): void {
    this.#free++;
    this.addBadFrame(position, frameBytes);
  }

  /** Replaces an event after it was read, because its signature is not good. */
  replace(index: number, event: FirehoseEvent): void {
    this.#replaced.set(index, event);
  }

  /** Leaves an event out after it was read: it counts as if it had not come. */
  leaveOut(index: number): void {
    this.#replaced.set(index, null);
    this.#received -= 1;
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

  #moveTo(position: Position | null, received: number, frameBytes: number): void {
    this.#first ??= position;
    this.#to = position;
    this.#frames++;
    this.#readBytes += frameBytes;
    this.#received += received;
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
