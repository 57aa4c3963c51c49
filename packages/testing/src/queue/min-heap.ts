/** A binary heap: the smallest item first, by a number. */
export class MinHeap<Item> {
  readonly #items: { readonly rank: number; readonly item: Item }[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The smallest rank; Infinity if it is empty. */
  get rank(): number {
    return this.#items[0]?.rank ?? Infinity;
  }

  peek(): Item | undefined {
    return this.#items[0]?.item;
  }

  push(rank: number, item: Item): void {
    const items = this.#items;
    const entry = { rank, item };
    let at = items.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || parent.rank <= rank) break;
      items[at] = parent;
      at = above;
    }
    items[at] = entry;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top?.item;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = items[below];
      if (child === undefined) break;
      const right = items[below + 1];
      if (right !== undefined && right.rank < child.rank) {
        child = right;
        below += 1;
      }
      if (last.rank <= child.rank) break;
      items[at] = child;
      at = below;
    }
    items[at] = last;
    return top.item;
  }
}
