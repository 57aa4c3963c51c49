/** Limits the connections to each host; further requests wait in the order in which they came. */

export interface Lines {
  run<T>(host: string, work: () => Promise<T>): Promise<T>;
}

interface Line {
  active: number;
  readonly waiting: (() => void)[];
}

export function createLines(mostAtOnce: number): Lines {
  const lines = new Map<string, Line>();
  return {
    async run(host, work) {
      const line = lines.get(host) ?? { active: 0, waiting: [] };
      lines.set(host, line);
      if (line.active < mostAtOnce) line.active += 1;
      // A request that ends passes its connection on to the next one.
      else await new Promise<void>((resolve) => line.waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = line.waiting.shift();
        if (next !== undefined) next();
        else if (--line.active === 0) lines.delete(host);
      }
    },
  };
}
