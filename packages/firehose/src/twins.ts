/** Frames with one sequence number: hosts may use it for two events, or send one event twice. Their bytes tell which. */
export class Twins {
  #last: Buffer | null = null;
  /** Those before the last one with its number. There are none, most of the time. */
  #others: readonly Buffer[] = [];

  /** Whether a frame with the last number is one that was taken. The cursor's own frame is not at hand when a reader begins: the first one is it. */
  isKnown(bytes: Buffer | null): boolean {
    const last = this.#last;
    if (bytes === null) return true;
    if (last === null) {
      this.#last = bytes;
      return true;
    }
    return last.equals(bytes) || this.#others.some((other) => other.equals(bytes));
  }

  /** A frame was taken; `isTwin`: with the number of the one before it. */
  take(bytes: Buffer | null, isTwin: boolean): void {
    if (isTwin && this.#last !== null) this.#others = [...this.#others, this.#last];
    else if (this.#others.length > 0) this.#others = [];
    this.#last = bytes;
  }
}
