/** Several at a time, begun in order, and up to where all are done. */

export interface InOrder {
  /** Everything up to it is done; null: nothing is. */
  readonly doneUpTo: string | null;
}

/**
 * `work` resolves with false where it was stopped: then it is not done. What it throws stops the others, and is thrown when they have ended.
 * None is begun any more when the signal aborts.
 */
export async function inOrder(
  items: AsyncGenerator<string, void, undefined>,
  options: { readonly atOnce: number; readonly signal: AbortSignal },
  work: (item: string, signal: AbortSignal) => Promise<boolean>,
): Promise<InOrder> {
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  /** Done, but something before it is not. */
  const ahead = new Map<number, string>();
  let begun = 0;
  let next = 0;
  let doneUpTo: string | null = null;

  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      // A generator that is asked several times answers in the order of the questions.
      const index = begun++;
      const { done, value: item } = await items.next();
      if (done === true || !(await work(item, signal))) return;
      ahead.set(index, item);
      for (let first = ahead.get(next); first !== undefined; first = ahead.get(next)) {
        doneUpTo = first;
        ahead.delete(next);
        next += 1;
      }
    }
  };
  const workers = Array.from({ length: options.atOnce }, async () => {
    try {
      await worker();
    } catch (error) {
      failing.abort("another one failed");
      throw error;
    }
  });
  const ended = await Promise.allSettled(workers);
  await items.return();
  for (const result of ended) if (result.status === "rejected") throw result.reason;
  return { doneUpTo };
}
