/** Actors that take turns: each stops before its next step, and one of those that wait is let go on, at random. */
export interface Turns {
  /** Starts an actor; it counts until it ends, however it ends. */
  start(actor: () => Promise<void>): void;
  /** What an actor awaits before each step. */
  take(): Promise<void>;
  /** Lets them go on, one step after another, until all have ended. @throws what the first of them threw, or `observe` */
  run(observe: () => Promise<void>): Promise<void>;
}

export function createTurns(random: () => number): Turns {
  const waiting: (() => void)[] = [];
  const failures: unknown[] = [];
  let actors = 0;
  let moved = Promise.withResolvers<void>();

  function move(): void {
    moved.resolve();
    moved = Promise.withResolvers<void>();
  }

  return {
    start(actor) {
      actors += 1;
      void actor()
        .catch((error: unknown) => failures.push(error))
        .finally(() => {
          actors -= 1;
          move();
        });
    },

    take: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        move();
      }),

    async run(observe) {
      while (actors > 0) {
        if (waiting.length < actors) {
          await moved.promise;
          continue;
        }
        await observe();
        const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
        next?.();
        // An actor that was let go on is not waiting until it has made its step.
        await moved.promise;
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** mulberry32: small, and the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
