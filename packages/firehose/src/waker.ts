/** One sleeper on a clock that can be woken before its time, also while it is still awake. */
import type { Clock } from "@firehose-backfill/core/clock";

const MAX_SLEEP_MS = 3_600_000;
/** Given to `abort`, which else makes a DOMException with a stack each time. */
const WOKEN = "woken";

export class Waker {
  readonly #clock: Clock;
  #isWanted = false;
  #sleeping: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the sleep that goes on; if there is none, the next one ends at once. */
  wake(): void {
    this.#isWanted = true;
    this.#sleeping?.abort(WOKEN);
  }

  /** Infinity: until woken. */
  async sleepUntil(timeMs: number): Promise<void> {
    if (!this.#isWanted) {
      this.#sleeping = new AbortController();
      // Timers take 32 bits; a longer sleep is woken in between and found too short.
      const ms = Math.min(Math.max(timeMs - this.#clock.now(), 0), MAX_SLEEP_MS);
      await this.#clock.sleep(ms, this.#sleeping.signal);
      this.#sleeping = null;
    }
    this.#isWanted = false;
  }
}
