import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "./in-order.ts";

const { signal } = new AbortController();

async function* named(count: number): AsyncGenerator<string, void, undefined> {
  for (let index = 0; index < count; index++) yield String(index).padStart(4, "0");
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

describe("several at a time", () => {
  it("issue 16.4: everything up to what it says is done, wherever it is stopped", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
        fc.nat(45),
        fc.integer({ min: 1, max: 6 }),
        async (durations, stopAfter, atOnce) => {
          const stop = new AbortController();
          const done = new Set<string>();
          let running = 0;
          const { doneUpTo } = await inOrder(
            named(durations.length),
            { atOnce, signal: stop.signal },
            async (item, end) => {
              running += 1;
              expect(running).toBeLessThanOrEqual(atOnce);
              await turns(durations[Number(item)] ?? 0);
              running -= 1;
              if (end.aborted) return false;
              done.add(item);
              if (done.size === stopAfter) stop.abort();
              return true;
            },
          );
          for (let index = 0; index <= Number(doneUpTo ?? -1); index++)
            expect(done).toContain(String(index).padStart(4, "0"));
          expect(stop.signal.aborted || done.size === durations.length).toBe(true);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it("one that throws stops the others, which end first", async () => {
    let running = 0;
    const failing = inOrder(named(100), { atOnce: 4, signal }, async (item, end) => {
      running += 1;
      await turns(item === "0003" ? 1 : 5);
      running -= 1;
      if (item === "0003") throw new TypeError("the fourth");
      return !end.aborted;
    });
    await expect(failing).rejects.toThrow("the fourth");
    expect(running).toBe(0);
  });
});
