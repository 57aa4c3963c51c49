/** Keeps how far the stream was read: its position, its event time, and whether the start and the end of the run were reached. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import { type EventTime, startEventTime } from "./event-time.ts";
import type { ReadPosition } from "./types.ts";

export class StreamPosition {
  readonly #start: ReadPosition;
  readonly #clock: Clock;
  readonly #eventTime: EventTime;
  #current: Position | null;
  #startReached: boolean;
  /** The time of the last frame that was not taken but showed how far the host is. */
  #seenMs: number | null = null;

  constructor(start: ReadPosition, clock: Clock) {
    this.#start = start;
    this.#clock = clock;
    this.#eventTime = startEventTime(start.recentTimesMs);
    this.#current = start.cursor;
    this.#startReached = start.startReached || start.startTimeMs === null;
  }

  /** The last frame that was taken. null: none was taken in the whole run. */
  get current(): Position | null {
    return this.#current;
  }

  /** The median of the times of the last frames. null: there was none. */
  get eventTimeMs(): number | null {
    return this.#eventTime.median();
  }

  get startReached(): boolean {
    return this.#startReached;
  }

  /** The cursor to connect with. null: connect without one. */
  get cursor(): number | null {
    if (this.#current !== null) return this.#current.seq;
    const { start } = this.#start;
    if (start === "live") return null;
    return start === "oldest" ? 0 : start.seq;
  }

  /** The position of a stream that has brought nothing yet. null: it began live, so it has none. */
  get asked(): Position | null {
    const { cursor } = this;
    return cursor === null ? null : { seq: cursor, timeMs: this.#seenMs ?? this.startMs };
  }

  /** The time at which the run starts, or now. */
  get startMs(): number {
    return this.#start.startTimeMs ?? this.#clock.now();
  }

  recentTimesMs(): readonly number[] {
    return this.#eventTime.toArray();
  }

  /** The run has reached its end. */
  isAtEnd(): boolean {
    const { endTimeMs, endSeq } = this.#start;
    if (endSeq !== null && this.#current !== null && this.#current.seq >= endSeq) return true;
    return (this.eventTimeMs ?? Number.NEGATIVE_INFINITY) >= endTimeMs;
  }

  /** The event time has not reached the start yet, and this moment lies before it. */
  isBeforeStart(timeMs: number): boolean {
    return !this.#startReached && timeMs < (this.#start.startTimeMs ?? Number.NEGATIVE_INFINITY);
  }

  /** A frame was taken. `ownTimeMs` NaN: its own time could not be read. */
  moveTo(position: Position, ownTimeMs: number): void {
    this.#current = position;
    if (!Number.isNaN(ownTimeMs)) this.#eventTime.add(ownTimeMs);
    const { startTimeMs } = this.#start;
    if (!this.#startReached && startTimeMs !== null) {
      this.#startReached = (this.eventTimeMs ?? Number.NEGATIVE_INFINITY) >= startTimeMs;
    }
  }

  /** A frame was not taken, but it shows how far the host is. */
  note(timeMs: number): void {
    this.#seenMs = timeMs;
  }

  /** The stream is over and brought nothing, so it ends where it began. null: it has a position already, or it began live. */
  settleAtStart(): Position | null {
    const asked = this.#current === null ? this.asked : null;
    if (asked !== null) this.#current = asked;
    return asked;
  }
}
