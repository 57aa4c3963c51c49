/** Lets a number of callers in at a time, the rest in the order they came. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(width: number): Gate {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
      else inside += 1;
      try {
        return await work();
      } finally {
        // The place is handed over, not given up: nobody slips in between.
        const next = waiting.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}
