import { selfRunningClock } from "../core/virtual-clock.ts";
import { describe, expect, test } from "vitest";
import { createMemoryQueue, type MemoryQueueOptions } from "./memory-queue.ts";
import { describeQueue } from "./queue-suite.ts";
import { batchOf, logged, recordEvent } from "./batches.ts";

/** Numbers in [0, 1) that look random and are the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

function open(options: Partial<MemoryQueueOptions>) {
  const clock = selfRunningClock();
  const queue = createMemoryQueue({ clock, random: seeded(1), visibilitySeconds: 20, ...options });
  const send = (count: number, delaySeconds = 0) =>
    queue.send(
      Array.from({ length: count }, (_, number) => ({
        batch: logged(batchOf([recordEvent(number)], { number })),
        delaySeconds,
      })),
    );
  /** Batch numbers as they come, each removed, until none has come for 30 s. */
  const drain = async () => {
    const numbers: number[] = [];
    for (;;) {
      const messages = await queue.receive({ max: 10, waitSeconds: 30 });
      if (messages.length === 0) return numbers;
      for (const { content, receiptHandle } of messages) {
        if (content.kind === "batch") numbers.push(content.batch.key.number);
        await queue.remove(receiptHandle);
      }
    }
  };
  return { clock, queue, send, drain };
}

for (const encode of [false, true]) {
  describeQueue(`in memory, ${encode ? "encoded" : "as it is"}`, async (options) => {
    const { queue, clock } = open({ ...options, encode });
    return {
      queue,
      clock,
      sendRaw: async (message) => queue.sendRaw(message),
      [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
    };
  });
}

const ordered = Array.from({ length: 200 }, (_, number) => number);

describe("order", () => {
  test("oldest first", async () => {
    const { send, drain } = open({ order: "oldest-first" });
    await send(200);
    expect(await drain()).toEqual(ordered);
  });

  test("at random: all of them, in another order", async () => {
    const { send, drain } = open({ order: "random" });
    await send(200);
    const numbers = await drain();
    expect(numbers).not.toEqual(ordered);
    expect(numbers.sort((left, right) => left - right)).toEqual(ordered);
  });
});

test("repeats some messages, and removing one leaves the other", async () => {
  const { send, drain } = open({ repeatProbability: 0.25 });
  await send(200);
  const numbers = await drain();
  expect(new Set(numbers).size).toBe(200);
  // 200 and a third of them, for a repeat may be repeated.
  expect(numbers.length).toBeGreaterThan(230);
  expect(numbers.length).toBeLessThan(310);
});

test("counts calls as they are billed, ten messages to a send", async () => {
  const { queue, send, drain } = open({});
  await send(25);
  await drain();
  expect(queue.calls).toEqual({ send: 3, receive: 4, hide: 0, remove: 25, deadLetter: 0 });
});

test("says how old the oldest message is", async () => {
  const { queue, clock, send } = open({});
  expect((await queue.figures()).oldestAgeSeconds).toBe(null);
  await send(1);
  await clock.sleep(90_000);
  await send(1, 60);
  expect(await queue.figures()).toMatchObject({ oldestAgeSeconds: 90, ready: 1, delayed: 1 });
});

test("an hour of polls takes no time", async () => {
  const { queue, clock } = open({});
  const startMs = clock.now();
  const polls = Array.from({ length: 180 }, async () => queue.receive({ max: 1, waitSeconds: 20 }));
  expect((await Promise.all(polls)).flat()).toEqual([]);
  for (let left = 180; left > 0; left--) await queue.receive({ max: 1, waitSeconds: 20 });
  expect(clock.now() - startMs).toBe(181 * 20_000);
});
