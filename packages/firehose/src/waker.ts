/** One sleeper on a clock. It can be woken before its time; if it is awake then, its next sleep ends at once. */
import type { Clock } from "@firehose-backfill/core/clock";

const MAX_SLEEP_MS = 3_600_000;
/** Given to `abort`, because without a reason it makes a DOMException with a stack each time. */
const WOKEN = "woken";

export class Waker {
  readonly #clock: Clock;
  #isWanted = false;
  #sleeping: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the sleep that goes on. If there is none, the next one ends at once. */
  wake(): void {
    this.#isWanted = true;
    this.#sleeping?.abort(WOKEN);
  }

  /** Infinity: until it is woken. */
  async sleepUntil(timeMs: number): Promise<void> {
    if (!this.#isWanted) {
      this.#sleeping = new AbortController();
      // A timer takes 32 bits. A longer sleep ends in between, and the caller sleeps again.
      const ms = Math.min(Math.max(timeMs - this.#clock.now(), 0), MAX_SLEEP_MS);
      await this.#clock.sleep(ms, this.#sleeping.signal);
      this.#sleeping = null;
    }
    this.#isWanted = false;
  }
}
