import type { Clock } from "@firehose-backfill/core/clock";
import { afterEach, describe, expect, test, vi } from "vitest";
import { processMemoryGuard } from "./process-memory.ts";

const MB = 1024 * 1024;

function setUp(rssMb: number) {
  let nowMs = 1_000_000;
  const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() };
  const rss = vi.spyOn(process.memoryUsage, "rss").mockImplementation(() => rssMb * MB);
  const heap = vi.spyOn(process, "memoryUsage");
  return {
    guard: processMemoryGuard(clock, () => 256),
    rss,
    heap,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("issue 19.3: memory is asked for by time", () => {
  test("once in 20 ms, however often it is checked, and the heap not at all below the limit", () => {
    const rss = vi.spyOn(process.memoryUsage, "rss");
    const heap = vi.spyOn(process, "memoryUsage");
    let nowMs = 0;
    const guard = processMemoryGuard({ now: () => nowMs, sleep: () => Promise.resolve() }, () => 1_000_000);
    for (let check = 0; check < 1_000; check++) {
      expect(guard.isOverLimit()).toBe(false);
      nowMs += 1;
    }
    expect(rss).toHaveBeenCalledTimes(50);
    expect(heap).not.toHaveBeenCalled();
  });

  test("what has grown is seen 20 ms later, and at once if the clock was set back", () => {
    const { guard, rss, pass } = setUp(100);
    expect(guard.isOverLimit()).toBe(false);
    rss.mockImplementation(() => 300 * MB);
    pass(19);
    expect(guard.isOverLimit()).toBe(false);
    pass(1);
    expect(guard.isOverLimit()).toBe(true);
    rss.mockImplementation(() => 100 * MB);
    pass(-60_000);
    expect(guard.isOverLimit()).toBe(false);
  });

  test("after a collection the memory is measured again at once", () => {
    const { heap } = setUp(300);
    heap.mockReturnValue({ ...process.memoryUsage(), heapUsed: 200 * MB, external: 0 });
    const rss = vi.fn<() => number>(() => 300 * MB);
    Object.assign(heap, { rss });
    vi.stubGlobal("gc", () => rss.mockReturnValue(100 * MB));
    const guard = processMemoryGuard({ now: () => 0, sleep: () => Promise.resolve() }, () => 256);
    expect(guard.isOverLimit()).toBe(false);
    expect(rss).toHaveBeenCalledTimes(2);
  });
});
