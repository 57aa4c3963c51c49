/** A window while it is being read: what it holds, whether more fits, and why it ends. */
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import type { Extract, SignedCommit } from "./extract-parts.ts";
import type { Gap } from "./gap-proof.ts";
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

/** What the stream, not the window, knows when the window ends. */
export type StreamFacts = Pick<Window, "startReached" | "recentTimesMs" | "hostSeen" | "brokenFrames">;

export class WindowBuilder {
  readonly #limits: WindowLimits;
  readonly #from: Position | null;
  readonly #skipped = { "before-start": 0, did: 0, collection: 0 };
  readonly #gaps: Gap[] = [];
  readonly events: FirehoseEvent[] = [];
  readonly pendingSignatures: PendingSignature[] = [];
  #received = 0;
  #frames = 0;
  #keptBytes = 0;
  #readBytes = 0;
  #first: Position | null = null;
  #to: Position | null = null;
  #oldestKeptMs: number | null = null;
  #ending: Ending | null = null;

  constructor(limits: WindowLimits, from: Position | null) {
    this.#limits = limits;
    this.#from = from;
  }

  get frames(): number {
    return this.#frames;
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  /** The first reason stands. */
  end(because: WindowEnd, detail: string | null = null): void {
    this.#ending ??= { because, detail };
  }

  /** null: these events may be added; else why they have to wait for the next window. */
  refuses(events: number, bytes: number): "events" | "bytes" | null {
    const { maxEvents, maxBytes, takeFirstWhole } = this.#limits;
    if (events === 0) return null;
    const isFirst = this.events.length === 0;
    if (this.events.length + events > maxEvents && !(isFirst && takeFirstWhole)) return "events";
    // A commit that is larger than the limit alone has to fit somewhere.
    return !isFirst && this.#keptBytes + bytes > maxBytes ? "bytes" : null;
  }

  /** A frame that moves the cursor to `position`; `bytes` of it are kept, `frameBytes` were read. */
  addFrame(position: Position, extract: Extract, bytes: number, frameBytes: number): void {
    this.#first ??= position;
    this.#to = position;
    this.#countFrame(frameBytes);
    this.#received += extract.received;
    this.#skipped.did += extract.skippedDid;
    this.#skipped.collection += extract.skippedCollection;
    if (extract.signed !== null) {
      const firstEvent = this.events.length;
      this.pendingSignatures.push({
        signed: extract.signed,
        firstEvent,
        endEvent: firstEvent + extract.events.length,
      });
    }
    for (const event of extract.events) this.events.push(event);
    this.#keptBytes += bytes;
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
  addIgnored(frameBytes: number): void {
    this.#readBytes += frameBytes;
    this.#endIfFull();
  }

  /** A dead entry for a frame that could not be read: the cursor stays at `position`; null: there is none yet. */
  addBadFrame(event: FirehoseEvent, position: Position | null, bytes: number, frameBytes: number): void {
    this.#first ??= position;
    this.#to ??= position;
    this.#countFrame(frameBytes);
    this.#received++;
    this.events.push(event);
    this.#keptBytes += bytes;
    this.#endIfFull();
  }

  addGap(gap: Gap): void {
    this.#gaps.push(gap);
  }

  noteOldestKept(timeMs: number): void {
    this.#oldestKeptMs = timeMs;
  }

  finish(facts: StreamFacts): Window {
    const ending = this.#ending ?? { because: "aborted", detail: null };
    return {
      events: this.events,
      received: this.#received,
      skipped: Object.fromEntries(Object.entries(this.#skipped).filter(([, count]) => count > 0)),
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
    const kept = this.events.length;
    if (kept > 0 && kept >= maxEvents) this.end("events");
    else if ((kept > 0 && this.#keptBytes >= maxBytes) || this.#readBytes >= maxReadBytes) this.end("bytes");
  }
}
