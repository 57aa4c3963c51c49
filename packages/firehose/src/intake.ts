/**
 * The stream as it is taken into windows, frame by frame: where it stands, what order its frames must have, what each of
 * them means. Lives as long as the reader; connections and windows come and go. It waits for nothing and sends nothing.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import { BadFrames } from "./bad-frames.ts";
import { type EventTime, startEventTime } from "./event-time.ts";
import { countEvents, extractEvents } from "./extract.ts";
import type { Extract, ExtractRules } from "./extract-parts.ts";
import { bytesOf, type QueuedFrame, readQueued } from "./frame-queue.ts";
import type { Frame, MessageFrame, UnknownFrame } from "./frame-types.ts";
import type { Gap } from "./gap-proof.ts";
import { cursorAhead, type Step, wentBack } from "./intake-step.ts";
import { quote } from "./kept-bytes.ts";
import type { FirehoseReaderOptions, ReadPosition } from "./types.ts";
import type { StreamFacts, WindowBuilder } from "./window-builder.ts";

type SequencedFrame = MessageFrame | (UnknownFrame & { readonly seq: number });

const NOTHING: Extract = { received: 0, skippedDid: 0, skippedCollection: 0, events: 0, signed: null };
const GOOD: Step = { kind: "taken", isGood: true };
const IGNORED: Step = { kind: "taken", isGood: false };

export interface IntakeOptions {
  readonly clock: Clock;
  readonly rules: Pick<FirehoseReaderOptions, "filter" | "verify">;
  /** Whether the first frame of a connection is so much later than the cursor that there may be a gap. */
  readonly isSuspicious: (cursorTimeMs: number, firstTimeMs: number) => boolean;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #start: ReadPosition;
  readonly #rules: ExtractRules;
  readonly #badFrames: BadFrames;
  readonly #eventTime: EventTime;
  #position: Position | null;
  #startReached: boolean;
  #hostSeen: boolean;
  /** Of the present connection: its cursor or its last frame, whether a frame came, whether a gap was ruled out or told. */
  #lastSeq = 0;
  #hasFrames = false;
  #isGapSettled = false;
  #isOutdated = false;
  /** A frame that was read already and had to wait. */
  #held: { readonly queued: QueuedFrame; readonly frame: Frame } | null = null;

  constructor(start: ReadPosition, options: IntakeOptions) {
    this.#options = options;
    this.#start = start;
    const { clock, rules } = options;
    this.#rules = {
      ...rules,
      // The clock is asked last: in a backfill the stream's own time nearly always answers.
      isAhead: (momentMs, timeMs) => momentMs > (this.#eventTime.median() ?? timeMs) && momentMs > clock.now(),
    };
    this.#badFrames = new BadFrames(start.brokenFrames);
    this.#eventTime = startEventTime(start.recentTimesMs);
    this.#position = start.cursor;
    this.#startReached = start.startReached || start.startTimeMs === null;
    this.#hostSeen = start.hostSeen;
  }

  get position(): Position | null {
    return this.#position;
  }

  get hostSeen(): boolean {
    return this.#hostSeen;
  }

  /** The next connection may let a frame in that is larger than allowed, to set it aside. */
  get allowOversize(): boolean {
    return this.#badFrames.isPatienceOver;
  }

  get isBroken(): boolean {
    return this.#badFrames.count > 0;
  }

  /** What to connect with; null: without a cursor. */
  get cursor(): number | null {
    if (this.#position !== null) return this.#position.seq;
    const { start } = this.#start;
    if (start === "live") return null;
    return start === "oldest" ? 0 : start.seq;
  }

  /** From where a reader would have to begin to read on from here. */
  snapshot(): ReadPosition {
    return { ...this.#start, cursor: this.#position, ...this.facts() };
  }

  facts(): StreamFacts {
    return {
      startReached: this.#startReached,
      recentTimesMs: this.#eventTime.toArray(),
      hostSeen: this.#hostSeen,
      brokenFrames: this.#badFrames.count,
    };
  }

  /** The stream was already at its end when this was asked. */
  isAtEnd(): boolean {
    const { endTimeMs, endSeq } = this.#start;
    if (endSeq !== null && this.#position !== null && this.#position.seq >= endSeq) return true;
    return (this.#eventTime.median() ?? Number.NEGATIVE_INFINITY) >= endTimeMs;
  }

  newConnection(): void {
    this.#lastSeq = this.cursor ?? 0;
    this.#hasFrames = false;
    this.#isGapSettled = false;
    this.#isOutdated = false;
    this.#held = null;
    this.#badFrames.newConnection();
  }

  /** The suspicion about the first frame of this connection has been dealt with. */
  settleGap(): void {
    this.#isGapSettled = true;
  }

  take(queued: QueuedFrame, window: WindowBuilder): Step {
    const frame = this.#held?.queued === queued ? this.#held.frame : readQueued(queued);
    this.#held = null;
    const step = this.#takeFrame(queued, frame, window);
    if (step.kind === "full" || step.kind === "suspicious") this.#held = { queued, frame };
    return step;
  }

  #takeFrame(queued: QueuedFrame, frame: Frame, window: WindowBuilder): Step {
    const frameBytes = bytesOf(queued)?.length ?? 0;
    switch (frame.kind) {
      case "broken":
        return this.#takeBroken(bytesOf(queued), frame.reason, window);
      case "error":
        if (frame.error === "FutureCursor") return cursorAhead(this.cursor, quote(frame.message));
        return { kind: "reconnect", detail: quote(`the host said ${frame.error}: ${frame.message}`) };
      case "info":
        if (frame.name === "OutdatedCursor") this.#isOutdated = true;
        window.addIgnored(frameBytes);
        return IGNORED;
      case "unknown": {
        const { seq } = frame;
        if (seq !== null) return this.#takeSequenced(frameBytes, { ...frame, seq }, window);
        window.addIgnored(frameBytes);
        return IGNORED;
      }
      case "commit":
      case "sync":
      case "identity":
      case "account":
        return this.#takeSequenced(frameBytes, frame, window);
      default: {
        const unreachable: never = frame;
        return unreachable;
      }
    }
  }

  #takeSequenced(frameBytes: number, frame: SequencedFrame, window: WindowBuilder): Step {
    const { seq } = frame;
    if (seq < this.#lastSeq) {
      const isFirst = !this.#hasFrames && this.#position === this.#start.cursor;
      return wentBack({ seq, timeMs: frame.timeMs }, { after: this.#lastSeq, cursor: this.#position, isFirst });
    }
    const timeMs = Number.isNaN(frame.timeMs) ? (this.#position?.timeMs ?? this.#options.clock.now()) : frame.timeMs;
    const position: Position = { seq, timeMs };
    if (seq === this.#lastSeq) {
      // Hosts disagree on whether a cursor is included. It brings nothing, but somebody is there.
      this.#hostSeen = true;
      window.addIgnored(frameBytes);
      return GOOD;
    }
    const { endSeq } = this.#start;
    if (endSeq !== null && seq > endSeq)
      return { kind: "end", because: "caught-up", detail: `the end, ${endSeq}, is behind` };
    const gap = this.#hasFrames ? null : this.#gapBefore(position);
    if (gap !== null && "suspicious" in gap) return { kind: "suspicious", cursor: gap.suspicious, first: position };

    const isBeforeStart = !this.#startReached && timeMs < (this.#start.startTimeMs ?? Number.NEGATIVE_INFINITY);
    const firstEvent = window.events.length;
    const extract =
      isBeforeStart || frame.kind === "unknown" ? NOTHING : extractEvents(frame, timeMs, this.#rules, window.events);
    const refusal = window.refuses(firstEvent);
    if (refusal !== null) return { kind: "full", because: refusal };

    if (gap !== null) window.addGap(gap);
    if (gap !== null || (this.#position === null && this.#start.start === "oldest")) window.noteOldestKept(timeMs);
    this.#moveTo(position, frame.timeMs);
    const skipped = isBeforeStart && frame.kind !== "unknown" ? countEvents(frame) : 0;
    if (isBeforeStart) window.addSkipped(position, skipped, frameBytes);
    else window.addFrame(position, extract, frameBytes);
    if (this.isAtEnd()) window.end("caught-up");
    return GOOD;
  }

  #moveTo(position: Position, ownTimeMs: number): void {
    this.#position = position;
    this.#lastSeq = position.seq;
    this.#hasFrames = true;
    this.#hostSeen = true;
    this.#badFrames.goodFrame();
    if (!Number.isNaN(ownTimeMs)) this.#eventTime.add(ownTimeMs);
    const { startTimeMs } = this.#start;
    if (!this.#startReached && startTimeMs !== null) {
      this.#startReached = (this.#eventTime.median() ?? Number.NEGATIVE_INFINITY) >= startTimeMs;
    }
  }

  /** null: none. What the host itself says needs no proof. */
  #gapBefore(first: Position): Gap | { readonly suspicious: Position } | null {
    const cursor = this.#position;
    if (this.#isOutdated && this.#lastSeq > 0 && first.seq > this.#lastSeq + 1) {
      const from = cursor ?? { seq: this.#lastSeq, timeMs: this.#start.startTimeMs ?? first.timeMs };
      return { from, to: first, reason: "the host said that the cursor is outdated" };
    }
    if (cursor === null || this.#isGapSettled || this.#isOutdated) return null;
    // The cursor's own frame may have lied; the frames before it did not all lie.
    const cursorTimeMs = this.#eventTime.median() ?? cursor.timeMs;
    return this.#options.isSuspicious(cursorTimeMs, first.timeMs) ? { suspicious: cursor } : null;
  }

  #takeBroken(bytes: Buffer | null, reason: string, window: WindowBuilder): Step {
    // Before the first good frame, the place asked for stands in for a position; live, there is none.
    const after = this.#position ?? {
      seq: this.#lastSeq,
      timeMs: this.#start.startTimeMs ?? this.#options.clock.now(),
    };
    const isPlaced = this.#position !== null || this.cursor !== null;
    const verdict = this.#badFrames.judge(bytes, reason, after);
    if (verdict.kind === "dead") {
      const firstEvent = window.events.length;
      window.events.append(verdict.event);
      const refusal = window.refuses(firstEvent);
      if (refusal !== null) return { kind: "full", because: refusal };
      window.addBadFrame(isPlaced ? after : null, bytes?.length ?? 0);
    }
    this.#badFrames.note(verdict);
    if (verdict.kind === "reconnect") {
      return { kind: "reconnect", detail: `a broken frame after seq ${after.seq}: ${reason}` };
    }
    return IGNORED;
  }
}
