/** Actors that take turns: each stops before its next step, and a random one of those that wait continues. */
export interface Turns {
  /** Starts an actor; it counts until it ends, for whatever reason. */
  start(actor: () => Promise<void>): void;
  /** One step of an actor: waits for its turn, then does the work. */
  step<T>(work: () => Promise<T>): Promise<T>;
  /** Lets them continue, one step after another, until all have ended. @throws the first error of an actor or of `observe` */
  run(observe: () => Promise<void>): Promise<void>;
}

export function createTurns(random: () => number): Turns {
  const waiting: (() => void)[] = [];
  const failures: unknown[] = [];
  let actors = 0;
  let steps = 0;
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

    async step(work) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        move();
      });
      try {
        return await work();
      } finally {
        steps -= 1;
        move();
      }
    },

    async run(observe) {
      for (;;) {
        if (actors === 0) break;
        // More may wait than there are actors: one that crashed during several requests leaves them behind.
        if (steps > 0 || waiting.length < actors) {
          await moved.promise;
          continue;
        }
        await observe();
        const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
        steps += 1;
        next?.();
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
