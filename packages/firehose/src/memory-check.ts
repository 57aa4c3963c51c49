/** Asks the memory guard once in so many events, because asking for each event would cost more than reading it. */

const DEFAULT_INTERVAL = 100;

export class MemoryCheck {
  readonly #isTight: () => boolean;
  readonly #interval: number;
  #unchecked = 0;

  constructor(isTight: () => boolean, interval: number = DEFAULT_INTERVAL) {
    this.#isTight = isTight;
    this.#interval = interval;
  }

  /** true: the reader must stop. A frame without events counts as one. */
  isTightAfter(events: number): boolean {
    this.#unchecked += Math.max(events, 1);
    if (this.#unchecked < this.#interval) return false;
    this.#unchecked = 0;
    return this.#isTight();
  }
}
