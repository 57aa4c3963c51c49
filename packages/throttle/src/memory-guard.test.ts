import type { Clock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import { createMemoryGuard, limitTooLow, limitUnderUse } from "./memory-guard.ts";

const MB = 1024 * 1024;

function setUp(rssMb: number[], options: { collect?: boolean; heapMb?: number } = {}) {
  const sleeps: number[] = [];
  let collections = 0;
  let step = 0;
  const clock: Clock = {
    now: () => 0,
    sleep: (ms) => {
      sleeps.push(ms);
      step += 1;
      return Promise.resolve();
    },
  };
  const guard = createMemoryGuard({
    clock,
    limitMb: () => 256,
    sample: () => ({
      rssBytes: (rssMb[Math.min(step, rssMb.length - 1)] ?? 0) * MB,
      heapUsedBytes: (options.heapMb ?? 200) * MB,
      externalBytes: 0,
    }),
    collect:
      options.collect === true
        ? () => {
            collections += 1;
            step += 1;
          }
        : null,
  });
  return { guard, sleeps, collections: () => collections };
}

describe("memory guard", () => {
  it("says nothing below the limit", async () => {
    const { guard, sleeps } = setUp([255]);
    expect(guard.isOverLimit()).toBe(false);
    expect(await guard.waitUntilUnder(new AbortController().signal)).toBe(0);
    expect(sleeps).toEqual([]);
    expect(guard.usedMb()).toBe(255);
  });

  it("collects before it gives up, where collecting can help", () => {
    const { guard, collections } = setUp([300, 200], { collect: true });
    expect(guard.isOverLimit()).toBe(false);
    expect(collections()).toBe(1);
  });

  it("does not collect what is not on the heap", () => {
    const { guard, collections } = setUp([300, 200], { collect: true, heapMb: 10 });
    expect(guard.isOverLimit()).toBe(true);
    expect(collections()).toBe(0);
  });

  it("pauses 5 s, then 10 s and 10 s, and does not go on above the limit", async () => {
    const { guard, sleeps } = setUp([300, 290, 280, 240]);
    expect(await guard.waitUntilUnder(new AbortController().signal)).toBe(3);
    expect(sleeps).toEqual([5_000, 10_000, 10_000]);
  });

  it("waits no longer than it is told to, where another process can take over", async () => {
    const { guard, sleeps } = setUp([300]);
    expect(await guard.waitUntilUnder(new AbortController().signal, { mostPauses: 2 })).toBe(2);
    expect(sleeps).toEqual([5_000, 10_000]);
  });

  it("gives up waiting when it is told to stop", async () => {
    const { guard, sleeps } = setUp([300]);
    expect(await guard.waitUntilUnder(AbortSignal.abort())).toBe(0);
    expect(sleeps).toEqual([]);
  });

  it("refuses a limit that leaves no memory above the start, with both numbers", () => {
    expect(limitTooLow(256, 100 * MB)).toBeNull();
    expect(limitTooLow(128, 120 * MB)).toMatch(/is 128, but this process holds 120 MB .* at least 150/);
  });

  it("fault 22: refuses a limit below what is in use, with both numbers", () => {
    expect(limitUnderUse(200, 180 * MB)).toBeNull();
    expect(limitUnderUse(128, 180 * MB)).toMatch(/is 128, but this process holds 180 MB .* at least 198/);
  });
});
