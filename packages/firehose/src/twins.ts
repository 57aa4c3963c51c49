/** Tells frames with the same sequence number apart by their bytes. A host may use a number for two events, or send one event twice. */
export class Twins {
  #last: Buffer | null = null;
  /** The frames before the last one that have its number. Most of the time there are none. */
  #others: readonly Buffer[] = [];

  /** Whether a frame with the last number was taken before. A new reader does not have the frame of the cursor, so the first one counts as that. */
  isKnown(bytes: Buffer | null): boolean {
    const last = this.#last;
    if (bytes === null) return true;
    if (last === null) {
      this.#last = bytes;
      return true;
    }
    return last.equals(bytes) || this.#others.some((other) => other.equals(bytes));
  }

  /** A frame was taken. `isTwin`: it has the number of the one before it. */
  take(bytes: Buffer | null, isTwin: boolean): void {
    if (isTwin && this.#last !== null) this.#others = [...this.#others, this.#last];
    else if (this.#others.length > 0) this.#others = [];
    this.#last = bytes;
  }
}
