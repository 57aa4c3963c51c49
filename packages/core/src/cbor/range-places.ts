/**
 * Where the ranges of repositories stand in a log of events, so that a batch knows for how many events it counts: a range
 * counts by its records, which follow it, and as one event where it has none. The log of a stream has no ranges.
 */
export class RangePlaces {
  /** Ascending; beside each how many records it has. Those that have none stand in `#empty`, too. */
  readonly #all: number[] = [];
  readonly #records: number[] = [];
  readonly #empty: number[] = [];

  add(index: number, records: number): void {
    this.#all.push(index);
    this.#records.push(records);
    if (records === 0) this.#empty.push(index);
  }

  truncate(length: number): void {
    this.#all.length = countBelow(this.#all, length);
    this.#records.length = this.#all.length;
    this.#empty.length = countBelow(this.#empty, length);
  }

  /** How many of the events that follow this one belong to it. */
  recordsOf(index: number): number {
    const at = this.#all.length === 0 ? 0 : countBelow(this.#all, index);
    return this.#all[at] === index ? (this.#records[at] ?? 0) : 0;
  }

  between(start: number, end: number): number {
    return this.#all.length === 0 ? 0 : countBelow(this.#all, end) - countBelow(this.#all, start);
  }

  /** Those with records: they stand in the log and count for nothing themselves. */
  uncountedBetween(start: number, end: number): number {
    if (this.#all.length === 0) return 0;
    return this.between(start, end) - (countBelow(this.#empty, end) - countBelow(this.#empty, start));
  }
}

function countBelow(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
