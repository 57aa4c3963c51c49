import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { selfRunningClock, VirtualClock } from "./virtual-clock.ts";

const START = 1_000_000;

describe("time", () => {
  test("stands still by itself and advances when told", async () => {
    const clock = new VirtualClock(START);
    expect(clock.now()).toBe(START);
    await clock.advance(250);
    expect(clock.now()).toBe(START + 250);
    await clock.run(START + 1_000);
    expect(clock.now()).toBe(START + 1_000);
  });

  test("never goes back", async () => {
    const clock = new VirtualClock(START);
    await clock.run(START - 5_000);
    expect(clock.now()).toBe(START);
  });
});

describe("sleepers", () => {
  test("wake in the order of their times, those with the same time in the order in which they began to sleep", async () => {
    const clock = new VirtualClock(START);
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push(`${name}@${clock.now() - START}`);
    };
    const all = [sleeper("c", 30), sleeper("a", 10), sleeper("b1", 20), sleeper("b2", 20), sleeper("now", 0)];
    await clock.advance(25);
    expect(woken).toEqual(["now@0", "a@10", "b1@20", "b2@20"]);
    expect(clock.sleeping).toBe(1);
    await clock.advance(5);
    await Promise.all(all);
    expect(woken.at(-1)).toBe("c@30");
  });

  test("what a woken one starts happens before time goes on, through promises and turns of the event loop", async () => {
    const clock = new VirtualClock(START);
    const log: string[] = [];
    const worker = async () => {
      await clock.sleep(10);
      await nextTurn();
      await nextTurn();
      await Promise.resolve();
      log.push(`worked@${clock.now() - START}`);
      await clock.sleep(5);
      log.push(`again@${clock.now() - START}`);
    };
    const other = async () => {
      await clock.sleep(12);
      log.push(`other@${clock.now() - START}`);
    };
    const all = Promise.all([worker(), other()]);
    await clock.advance(100);
    await all;
    expect(log).toEqual(["worked@10", "other@12", "again@15"]);
  });

  test("an aborted sleep ends at once, and no sleeper stays", async () => {
    const clock = new VirtualClock(START);
    const controller = new AbortController();
    const sleep = clock.sleep(1_000, controller.signal);
    const neighbour = clock.sleep(1_000);
    expect(clock.sleeping).toBe(2);
    controller.abort();
    await sleep;
    expect(clock.sleeping).toBe(1);
    expect(clock.now()).toBe(START);
    await clock.sleep(1_000, controller.signal);
    await clock.advance(1_000);
    await neighbour;
    expect(clock.sleeping).toBe(0);
  });
});

describe("runUntil", () => {
  test("stops at the moment it is done", async () => {
    const clock = new VirtualClock(START);
    let beats = 0;
    const beat = async () => {
      while (beats < 10) {
        await clock.sleep(100);
        beats += 1;
      }
    };
    const beating = beat();
    expect(await clock.runUntil(() => beats === 3, 10_000)).toBe(true);
    expect(clock.now()).toBe(START + 300);
    expect(await clock.runUntil(() => beats === 100, 10_000)).toBe(false);
    await beating;
  });

  test("gives up at its limit", async () => {
    const clock = new VirtualClock(START);
    const sleep = clock.sleep(2_000);
    expect(await clock.runUntil(() => false, 1_000)).toBe(false);
    await clock.advance(2_000);
    await sleep;
  });
});

test("a busy loop on the clock is told, not waited for", async () => {
  const clock = new VirtualClock(START, { maxTurns: 1_000 });
  const controller = new AbortController();
  const busy = async () => {
    while (clock.now() < START + 1 && !controller.signal.aborted) await nextTurn();
  };
  const loop = busy();
  await expect(clock.advance(10)).rejects.toThrow("busy loop");
  controller.abort();
  await loop;
});

test("an hour with 30,000 sleeps takes seconds, and two of them are the same", { timeout: 20_000 }, async () => {
  const simulate = async () => {
    const clock = new VirtualClock(START);
    const log: number[] = [];
    const worker = async (index: number) => {
      for (let count = 0; count < 3_000; count++) {
        await clock.sleep(1_200 - index);
        log.push(index * 10_000_000 + (clock.now() - START));
      }
    };
    const workers = Promise.all(Array.from({ length: 5 }, (_, index) => worker(index)));
    await clock.advance(3_600_000);
    await workers;
    return log;
  };
  const first = await simulate();
  expect(first).toHaveLength(15_000);
  expect(await simulate()).toEqual(first);
});

describe("a clock that runs by itself", () => {
  test("takes no time for an hour of sleeping, in order", async () => {
    const clock = selfRunningClock(0);
    const woken: number[] = [];
    await Promise.all([3_600_000, 1_000, 60_000].map((ms) => clock.sleep(ms).then(() => woken.push(clock.now()))));
    expect(woken).toEqual([1_000, 60_000, 3_600_000]);
    await clock.sleep(5);
    expect(clock.now()).toBe(3_600_005);
  });
});
