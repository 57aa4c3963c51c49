/**
 * Takes the stream into windows, frame by frame: it decides what each frame means and what becomes of it. It lives as long as
 * the reader, over all connections and windows. It waits for nothing and sends nothing.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import { ConnectionStart } from "./connection-start.ts";
import { countEvents, extractEvents } from "./extract.ts";
import type { Extract, ExtractRules } from "./extract-parts.ts";
import type { FramesInOrder } from "./frame-queue.ts";
import type { Frame, MessageFrame, UnknownFrame } from "./frame-types.ts";
import { quote } from "./quote.ts";
import type { RelayState } from "./relay-state.ts";
import { RefusedFrames } from "./refused-frames.ts";
import type { Patience } from "./seq-doubt.ts";
import { SeqOrder } from "./seq-order.ts";
import { StreamPosition } from "./stream-position.ts";
import { cursorAhead, IGNORED, type Step, wentBack } from "./stream-step.ts";
import type { FirehoseReaderOptions, ReadPosition } from "./types.ts";
import type { WindowBuilder } from "./window-builder.ts";

type SequencedFrame = MessageFrame | (UnknownFrame & { readonly seq: number });

const NOTHING: Extract = { received: 0, skippedDid: 0, skippedCollection: 0, events: 0, signed: null };
const GOOD: Step = { kind: "taken", isGood: true };
const DOUBTED: Step = { kind: "doubted" };

export interface StreamStateOptions {
  readonly clock: Clock;
  readonly rules: Pick<FirehoseReaderOptions, "filter" | "verify" | "invertCommit">;
  /** Whether the first frame of a connection is so much later than the cursor that there may be a gap. */
  readonly isSuspicious: (cursorTimeMs: number, firstTimeMs: number) => boolean;
  /** The frames that wait to be taken. */
  readonly frames: FramesInOrder;
  /** How long nothing has come behind a frame that is doubted. */
  readonly patience: () => Patience;
}

export class StreamState {
  readonly #start: ReadPosition;
  readonly #clock: Clock;
  readonly #rules: ExtractRules;
  readonly #refused: RefusedFrames;
  readonly #position: StreamPosition;
  readonly #order: SeqOrder;
  readonly #connection: ConnectionStart;
  #hostSeen: boolean;

  constructor(start: ReadPosition, options: StreamStateOptions) {
    const { clock, rules, frames, patience, isSuspicious } = options;
    this.#start = start;
    this.#clock = clock;
    this.#rules = {
      ...rules,
      // The clock is asked last, because in a backfill the time of the stream nearly always answers.
      isAhead: (momentMs, timeMs) => momentMs > (this.#position.eventTimeMs ?? timeMs) && momentMs > clock.now(),
    };
    this.#refused = new RefusedFrames(start.brokenFrames);
    this.#position = new StreamPosition(start, clock);
    this.#order = new SeqOrder({ endSeq: start.endSeq, frames, patience });
    this.#connection = new ConnectionStart(start, isSuspicious);
    this.#hostSeen = start.hostSeen;
  }

  get position(): Position | null {
    return this.#position.current;
  }

  /** The cursor to connect with. null: connect without one. */
  get cursor(): number | null {
    return this.#position.cursor;
  }

  get hostSeen(): boolean {
    return this.#hostSeen;
  }

  /** The next connection has to accept a frame that is larger than allowed, so that it can be recorded. */
  get allowOversize(): boolean {
    return this.#refused.bad.isPatienceOver;
  }

  /** The frame in front waits for those behind it to say whether its sequence number is believed. */
  get isDoubting(): boolean {
    return this.#order.isDoubting;
  }

  get isBroken(): boolean {
    return this.#refused.bad.count > 0;
  }

  /** The position from which another reader would read on from here. */
  snapshot(): ReadPosition {
    return { ...this.#start, cursor: this.position, ...this.facts() };
  }

  facts(): RelayState {
    return {
      startReached: this.#position.startReached,
      recentTimesMs: this.#position.recentTimesMs(),
      hostSeen: this.#hostSeen,
      brokenFrames: this.#refused.bad.count,
    };
  }

  /** The run has reached its end. */
  isAtEnd(): boolean {
    return this.#position.isAtEnd();
  }

  newConnection(): void {
    this.#order.newConnection(this.cursor ?? 0);
    this.#connection.newConnection();
    this.#refused.bad.newConnection();
  }

  /** A probe has looked at what may be missing before the first frame of this connection. */
  settleGap(): void {
    this.#connection.settleGap();
  }

  /** The frame was recorded as a dead entry, or it is still doubted. So it proves nothing on another connection. */
  isNoNews(bytes: Buffer): boolean {
    return this.#refused.has(bytes) || this.#order.holds(bytes);
  }

  /** The stream is over. If it brought nothing, it ends where it began, so that the run has an end, too. */
  settleAtStart(window: WindowBuilder): void {
    const asked = this.#position.settleAtStart();
    if (asked !== null) window.standAt(asked);
  }

  /** Takes the frame in front, if it can. `bytes` null: it was not received. */
  take(frame: Frame, bytes: Buffer | null, window: WindowBuilder): Step {
    const step = this.#takeFrame(frame, bytes, window);
    this.#order.settle(step.kind === "taken" || step.kind === "doubted" ? step.kind : "kept");
    return step;
  }

  #takeFrame(frame: Frame, bytes: Buffer | null, window: WindowBuilder): Step {
    switch (frame.kind) {
      case "broken":
        return this.#refused.takeBroken(bytes, frame.reason, this.#standing(), window);
      case "error":
        if (frame.error === "FutureCursor") return cursorAhead(this.cursor, quote(frame.message));
        return { kind: "reconnect", detail: quote(`the host said ${frame.error}: ${frame.message}`) };
      case "info":
        if (frame.name === "OutdatedCursor") this.#connection.noteOutdated();
        window.addIgnored(sizeOf(bytes), "info");
        return IGNORED;
      case "unknown": {
        const { seq } = frame;
        if (seq !== null) return this.#takeSequenced({ ...frame, seq }, bytes, window);
        window.addIgnored(sizeOf(bytes), "unknown-type");
        return IGNORED;
      }
      case "commit":
      case "sync":
      case "identity":
      case "account":
        return this.#takeSequenced(frame, bytes, window);
      default: {
        const unreachable: never = frame;
        return unreachable;
      }
    }
  }

  #takeSequenced(frame: SequencedFrame, bytes: Buffer | null, window: WindowBuilder): Step {
    const { seq } = frame;
    const before = this.position;
    const timeMs = Number.isNaN(frame.timeMs) ? (before?.timeMs ?? this.#clock.now()) : frame.timeMs;
    this.#hostSeen = true;
    const verdict = this.#order.judge(seq, bytes, this.#refused.bad.met, before !== null);
    if (verdict === "fits") return this.#takeNext(frame, { seq, timeMs }, bytes, window);
    if (verdict === "wait") return DOUBTED;
    if (verdict === "outlier") {
      const at = { timeMs, last: this.#order.last, position: before ?? this.#position.asked };
      return this.#refused.takeOutlier(frame, bytes, at, window);
    }
    if (verdict === "twin") {
      // Some hosts send the frame of the cursor again. It brings nothing, but it shows that the host serves us.
      this.#position.note(timeMs);
      window.addIgnored(sizeOf(bytes), "duplicate");
      return GOOD;
    }
    const isFirst = !this.#connection.hasFrames && before === this.#start.cursor;
    return wentBack({ seq, timeMs: frame.timeMs }, { after: this.#order.last, cursor: before, isFirst });
  }

  /** A frame whose number is believed. */
  #takeNext(frame: SequencedFrame, position: Position, bytes: Buffer | null, window: WindowBuilder): Step {
    const { seq, timeMs } = position;
    const before = this.position;
    const { endSeq, start } = this.#start;
    const gap = this.#connection.hasFrames
      ? null
      : this.#connection.gapBefore({
          first: position,
          cursor: before,
          lastSeq: this.#order.last,
          eventTimeMs: this.#position.eventTimeMs,
        });
    if (gap !== null && "suspicious" in gap) {
      return { kind: "suspicious", cursor: gap.suspicious, first: position, isStart: before === null };
    }
    if (endSeq !== null && seq > endSeq) {
      if (gap !== null) window.addGap(gap);
      this.#position.note(timeMs);
      return { kind: "end", because: "caught-up", detail: `the end, ${endSeq}, is behind` };
    }

    const isBeforeStart = this.#position.isBeforeStart(timeMs);
    const firstEvent = window.events.length;
    const extract =
      isBeforeStart || frame.kind === "unknown" ? NOTHING : extractEvents(frame, timeMs, this.#rules, window.events);
    const refusal = window.refuses(firstEvent);
    if (refusal !== null) return { kind: "full", because: refusal };

    if (gap !== null) window.addGap(gap);
    if (gap !== null || (before === null && start === "oldest")) window.noteOldestKept(timeMs);
    this.#moveTo(position, frame.timeMs, bytes);
    if (!isBeforeStart) window.addFrame(position, extract, sizeOf(bytes));
    else window.addSkipped(position, frame.kind === "unknown" ? 0 : countEvents(frame), sizeOf(bytes));
    if (frame.kind === "unknown") window.noteIgnored("unknown-type");
    else if (frame.kind === "commit" && frame.ops.length === 0 && !isBeforeStart && extract.received === 0) {
      window.noteIgnored("no-operations");
    }
    if (this.isAtEnd()) window.end("caught-up");
    return GOOD;
  }

  /** Before the first good frame it is the position that was asked for. A live stream has none. */
  #standing(): { readonly after: Position; readonly isPlaced: boolean } {
    const after = this.position ?? { seq: this.#order.last, timeMs: this.#position.startMs };
    return { after, isPlaced: this.cursor !== null };
  }

  #moveTo(position: Position, ownTimeMs: number, bytes: Buffer | null): void {
    this.#order.moveTo(position.seq, bytes);
    this.#connection.noteFrame();
    this.#refused.bad.goodFrame();
    this.#position.moveTo(position, ownTimeMs);
  }
}

function sizeOf(bytes: Buffer | null): number {
  return bytes === null ? 0 : bytes.length;
}
