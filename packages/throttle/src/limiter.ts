/**
 * A cap on what one process does at once, in the order of arrival. The cap may move while work is under way:
 * lowering it lets running work finish and admits nothing new until fewer run than it allows.
 */
export interface Limiter {
  readonly active: () => number;
  /** Resolves with a release function once one more may run, or with null when `signal` aborts first. */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
  /** Runs `work` once one more may run. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createLimiter(limit: () => number): Limiter {
  let active = 0;
  const queue: (() => void)[] = [];

  const admit = () => {
    while (active < limit() && queue.length > 0) queue.shift()?.();
  };

  const release = () => {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      active -= 1;
      admit();
    };
  };

  const enterNow = () => {
    if (active >= limit() || queue.length > 0) return null;
    active += 1;
    return release();
  };

  const enter = (signal: AbortSignal | null) =>
    new Promise<(() => void) | null>((resolve) => {
      if (signal?.aborted === true) {
        resolve(null);
        return;
      }
      const give = () => {
        signal?.removeEventListener("abort", giveUp);
        active += 1;
        resolve(release());
      };
      const giveUp = () => {
        queue.splice(queue.indexOf(give), 1);
        resolve(null);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      queue.push(give);
      admit();
    });

  return {
    active: () => active,
    enter,
    async run(work) {
      // Begun at once if one more may run: whoever closes what `work` uses waits for work that has begun.
      const leave = enterNow() ?? (await enter(null));
      try {
        return await work();
      } finally {
        leave?.();
      }
    },
  };
}
