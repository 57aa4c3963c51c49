/**
 * Keeps the order of the stream by sequence number: what the last number was, and whether the next one is believed. seq-doubt.ts
 * has the rule, and this class keeps what the rule needs. It knows nothing of windows and events.
 */
import type { FramesInOrder } from "./frame-queue.ts";
import { LookAhead } from "./look-ahead.ts";
import { judgeSeq, LOOK_AHEAD, type Patience, type SeqVerdict, VOTES } from "./seq-doubt.ts";
import { Twins } from "./twins.ts";

export interface SeqOrderOptions {
  /** The number at which the run ends. It is never doubted. null: the run ends at a time. */
  readonly endSeq: number | null;
  /** The frames that wait. The one at 0 is judged. */
  readonly frames: FramesInOrder;
  /** How long nothing has come behind a frame that is doubted. */
  readonly patience: () => Patience;
}

export type OrderVerdict =
  | SeqVerdict
  /** The same frame as the one that was taken before. */
  | "twin";

export class SeqOrder {
  readonly #options: SeqOrderOptions;
  readonly #ahead: LookAhead;
  readonly #twins = new Twins();
  #last = 0;
  #isDoubting = false;

  constructor(options: SeqOrderOptions) {
    this.#options = options;
    this.#ahead = new LookAhead(options.frames);
  }

  /** The last number that was believed. On a new connection it is the cursor that was asked for. */
  get last(): number {
    return this.#last;
  }

  /** The frame in front waits for those behind it to say whether its number is believed. */
  get isDoubting(): boolean {
    return this.#isDoubting;
  }

  newConnection(cursor: number): void {
    this.#last = cursor;
    this.#isDoubting = false;
    this.#ahead.clear();
  }

  /** `unread`: how many frames before it have no number that can be read. `isPlaced`: a frame was believed before. */
  judge(seq: number, bytes: Buffer | null, unread: number, isPlaced: boolean): OrderVerdict {
    if (seq === this.#last) {
      if (this.#twins.isKnown(bytes)) return "twin";
    } else if (this.#isDoubtful(seq, unread)) return this.#judge(seq, isPlaced);
    return "fits";
  }

  /** The frame in front was taken with this number. */
  moveTo(seq: number, bytes: Buffer | null): void {
    this.#twins.take(bytes, seq === this.#last);
    this.#last = seq;
  }

  /** What became of the frame in front. */
  settle(became: "taken" | "doubted" | "kept"): void {
    this.#isDoubting = became === "doubted";
    if (became === "taken") this.#ahead.shift();
  }

  /** Whether these are the bytes of a frame that waits to be believed. */
  holds(bytes: Buffer): boolean {
    return this.#isDoubting && this.#ahead.holds(bytes);
  }

  /** It is neither the next number nor the end of the run, and frames that could not be read do not explain the step. */
  #isDoubtful(seq: number, unread: number): boolean {
    const next = this.#last + 1;
    return seq !== next && seq !== this.#options.endSeq && (seq < next || seq > next + unread);
  }

  /** Compares it with the frames behind it: first with the nearest ones, and with more only if these do not decide. */
  #judge(seq: number, isPlaced: boolean): SeqVerdict {
    const last = this.#last;
    if (seq > last && this.#ahead.isRising(seq, VOTES)) return "fits";
    const near = judgeSeq({ seq, last, isPlaced, following: this.#ahead.following(VOTES).seqs }, "none");
    if (near !== "wait") return near;
    const { seqs, isLast } = this.#ahead.following(LOOK_AHEAD);
    const doubt = { seq, last, isPlaced, following: seqs };
    const far = judgeSeq(doubt, "none");
    if (far !== "wait") return far;
    const patience = this.#options.patience();
    return judgeSeq(doubt, isLast && patience === "none" ? "pause" : patience);
  }
}
