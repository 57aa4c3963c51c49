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
import { bytesOf, type QueuedFrame } from "./frame-queue.ts";
import type { Frame, MessageFrame, UnknownFrame } from "./frame-types.ts";
import type { Gap } from "./gap-proof.ts";
import { cursorAhead, type Step, wentBack } from "./intake-step.ts";
import { quote } from "./kept-bytes.ts";
import { LookAhead } from "./look-ahead.ts";
import { outlierEntry } from "./outlier.ts";
import { judgeSeq, LOOK_AHEAD, type Patience, type SeqVerdict, VOTES } from "./seq-doubt.ts";
import { SetAside } from "./set-aside.ts";
import { Twins } from "./twins.ts";
import type { FirehoseReaderOptions, ReadPosition } from "./types.ts";
import type { StreamFacts, WindowBuilder } from "./window-builder.ts";

type SequencedFrame = MessageFrame | (UnknownFrame & { readonly seq: number });

const NOTHING: Extract = { received: 0, skippedDid: 0, skippedCollection: 0, events: 0, signed: null };
const GOOD: Step = { kind: "taken", isGood: true };
const IGNORED: Step = { kind: "taken", isGood: false };
const DOUBTED: Step = { kind: "doubted" };

export interface IntakeOptions {
  readonly clock: Clock;
  readonly rules: Pick<FirehoseReaderOptions, "filter" | "verify">;
  /** Whether the first frame of a connection is so much later than the cursor that there may be a gap. */
  readonly isSuspicious: (cursorTimeMs: number, firstTimeMs: number) => boolean;
  /** What stands in the queue behind the frame that is taken; 0 is that frame. */
  readonly peekAt: (index: number) => QueuedFrame | null;
  /** How long nothing has come behind a frame that is doubted. */
  readonly patience: () => Patience;
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
  readonly #ahead: LookAhead;
  readonly #setAside = new SetAside();
  /** The sequence number in front is not believed yet. */
  #isDoubting = false;
  readonly #twins = new Twins();
  /** Of the last frame that was not taken but told where the host stands. */
  #lastTimeMs: number | null = null;

  constructor(start: ReadPosition, options: IntakeOptions) {
    this.#options = options;
    this.#start = start;
    const { clock, rules } = options;
    this.#rules = {
      ...rules,
      // The clock is asked last: in a backfill the stream's own time nearly always answers.
      isAhead: (momentMs, timeMs) => momentMs > (this.#eventTime.median() ?? timeMs) && momentMs > clock.now(),
    };
    this.#ahead = new LookAhead(options.peekAt);
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

  /** The frame in front waits for those behind it to say whether its sequence number is believed. */
  get isDoubting(): boolean {
    return this.#isDoubting;
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
    this.#isDoubting = false;
    this.#ahead.clear();
    this.#badFrames.newConnection();
  }

  /** The suspicion about the first frame of this connection has been dealt with. */
  settleGap(): void {
    this.#isGapSettled = true;
  }

  /** Recorded and passed over, or still doubted: it proves nothing on another connection either. */
  isNoNews(bytes: Buffer): boolean {
    return this.#setAside.has(bytes) || (this.#isDoubting && this.#ahead.holds(bytes));
  }

  take(queued: QueuedFrame, window: WindowBuilder): Step {
    const frame = this.#ahead.read(queued);
    const step = this.#takeFrame(queued, frame, window);
    this.#isDoubting = step.kind === "doubted";
    if (step.kind === "taken") this.#ahead.shift();
    else if (step.kind !== "reconnect") this.#ahead.keep(queued, frame);
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
        window.addIgnored(frameBytes, "info");
        return IGNORED;
      case "unknown": {
        const { seq } = frame;
        if (seq !== null) return this.#takeSequenced(queued, { ...frame, seq }, window);
        window.addIgnored(frameBytes, "unknown-type");
        return IGNORED;
      }
      case "commit":
      case "sync":
      case "identity":
      case "account":
        return this.#takeSequenced(queued, frame, window);
      default: {
        const unreachable: never = frame;
        return unreachable;
      }
    }
  }

  #takeSequenced(queued: QueuedFrame, frame: SequencedFrame, window: WindowBuilder): Step {
    const { seq } = frame;
    const bytes = bytesOf(queued);
    const frameBytes = bytes?.length ?? 0;
    const timeMs = Number.isNaN(frame.timeMs) ? (this.#position?.timeMs ?? this.#options.clock.now()) : frame.timeMs;
    const position: Position = { seq, timeMs };
    this.#hostSeen = true;
    if (seq === this.#lastSeq) {
      if (this.#twins.isKnown(bytes)) {
        // Hosts disagree on whether a cursor is included. It brings nothing, but somebody is there.
        this.#lastTimeMs = timeMs;
        window.addIgnored(frameBytes, "duplicate");
        return GOOD;
      }
    } else if (this.#isDoubtful(seq)) {
      const verdict = this.#judgeSeq(queued, frame);
      if (verdict === "wait") return DOUBTED;
      if (verdict === "outlier") return this.#setOutlierAside(bytes, frame, timeMs, window);
      if (verdict === "went-back") {
        const isFirst = !this.#hasFrames && this.#position === this.#start.cursor;
        return wentBack({ seq, timeMs: frame.timeMs }, { after: this.#lastSeq, cursor: this.#position, isFirst });
      }
    }
    const { endSeq } = this.#start;
    const gap = this.#hasFrames ? null : this.#gapBefore(position);
    if (gap !== null && "suspicious" in gap) {
      return { kind: "suspicious", cursor: gap.suspicious, first: position, isStart: this.#position === null };
    }
    if (endSeq !== null && seq > endSeq) {
      if (gap !== null) window.addGap(gap);
      this.#lastTimeMs = timeMs;
      return { kind: "end", because: "caught-up", detail: `the end, ${endSeq}, is behind` };
    }

    const isBeforeStart = !this.#startReached && timeMs < (this.#start.startTimeMs ?? Number.NEGATIVE_INFINITY);
    const firstEvent = window.events.length;
    const extract =
      isBeforeStart || frame.kind === "unknown" ? NOTHING : extractEvents(frame, timeMs, this.#rules, window.events);
    const refusal = window.refuses(firstEvent);
    if (refusal !== null) return { kind: "full", because: refusal };

    if (gap !== null) window.addGap(gap);
    if (gap !== null || (this.#position === null && this.#start.start === "oldest")) window.noteOldestKept(timeMs);
    this.#moveTo(position, frame.timeMs, bytes);
    const skipped = isBeforeStart && frame.kind !== "unknown" ? countEvents(frame) : 0;
    if (isBeforeStart) window.addSkipped(position, skipped, frameBytes);
    else window.addFrame(position, extract, frameBytes);
    if (frame.kind === "unknown") window.noteIgnored("unknown-type");
    else if (frame.kind === "commit" && frame.ops.length === 0 && !isBeforeStart && extract.received === 0) {
      window.noteIgnored("no-operations");
    }
    if (this.isAtEnd()) window.end("caught-up");
    return GOOD;
  }

  /** Not the next one, not the one that ends the run, and more above the last one than frames that could not be read explain. */
  #isDoubtful(seq: number): boolean {
    const next = this.#lastSeq + 1;
    return seq !== next && seq !== this.#start.endSeq && (seq < next || seq > next + this.#badFrames.met);
  }

  /** Looks at the numbers of the frames behind it: the nearest ones first, and further only if they do not agree. */
  #judgeSeq(queued: QueuedFrame, frame: SequencedFrame): SeqVerdict {
    this.#ahead.keep(queued, frame);
    if (frame.seq > this.#lastSeq && this.#ahead.areAbove(frame.seq, VOTES)) return "fits";
    const place = { seq: frame.seq, last: this.#lastSeq, isPlaced: this.#position !== null };
    const near = judgeSeq({ ...place, following: this.#ahead.following(VOTES).seqs }, "none");
    if (near !== "wait") return near;
    const { seqs, isLast } = this.#ahead.following(LOOK_AHEAD);
    const far = judgeSeq({ ...place, following: seqs }, "none");
    if (far !== "wait") return far;
    const patience = this.#options.patience();
    return judgeSeq({ ...place, following: seqs }, isLast && patience === "none" ? "pause" : patience);
  }

  /** What it moves is nothing: the stream goes on from where it was. */
  #setOutlierAside(bytes: Buffer | null, frame: SequencedFrame, timeMs: number, window: WindowBuilder): Step {
    if (bytes === null || this.#setAside.has(bytes)) {
      window.addIgnored(bytes?.length ?? 0, "duplicate");
      return IGNORED;
    }
    window.events.append(outlierEntry(frame, bytes, { timeMs, last: this.#lastSeq }));
    this.#setAside.add(bytes);
    window.addOutlier(this.#position ?? this.#askedPosition(), bytes.length);
    return IGNORED;
  }

  /** Where the stream stands that has brought nothing yet. null: it began live, at no place. */
  #askedPosition(): Position | null {
    const { cursor } = this;
    if (cursor === null) return null;
    return { seq: cursor, timeMs: this.#lastTimeMs ?? this.#start.startTimeMs ?? this.#options.clock.now() };
  }

  /** The stream is over and brought nothing: it ends where it began, so that the run has an end too. */
  settleAtStart(window: WindowBuilder): void {
    const asked = this.#position === null ? this.#askedPosition() : null;
    if (asked === null) return;
    this.#position = asked;
    window.standAt(asked);
  }

  #moveTo(position: Position, ownTimeMs: number, bytes: Buffer | null): void {
    this.#twins.take(bytes, position.seq === this.#lastSeq);
    this.#position = position;
    this.#lastSeq = position.seq;
    this.#hasFrames = true;
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
    if (this.#isGapSettled || this.#isOutdated) return null;
    if (cursor === null) return this.#gapAtStart(first);
    // The cursor's own frame may have lied; the frames before it did not all lie.
    const cursorTimeMs = this.#eventTime.median() ?? cursor.timeMs;
    return this.#options.isSuspicious(cursorTimeMs, first.timeMs) ? { suspicious: cursor } : null;
  }

  /** A start at a number has no time to be compared with: whatever follows not directly is looked into. */
  #gapAtStart(first: Position): { readonly suspicious: Position } | null {
    const { start, startTimeMs } = this.#start;
    // A start by time was sought: the number is a frame that the host has shown.
    if (typeof start === "string" || startTimeMs !== null || start.seq <= 0 || first.seq <= start.seq + 1) return null;
    return { suspicious: { seq: start.seq, timeMs: first.timeMs } };
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
      if (bytes !== null) this.#setAside.add(bytes);
      window.addBadFrame(isPlaced ? after : null, bytes?.length ?? 0);
    }
    this.#badFrames.note(verdict);
    if (verdict.kind === "reconnect") {
      return { kind: "reconnect", detail: `a broken frame after seq ${after.seq}: ${reason}` };
    }
    return IGNORED;
  }
}
