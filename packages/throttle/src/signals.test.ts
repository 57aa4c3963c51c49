import { describe, expect, it } from "vitest";
import { fallAllowedBefore, riseAllowedBefore } from "./back-off.ts";
import { createEventCounter } from "./event-counter.ts";
import { yieldToEventLoop } from "./idle.ts";
import { createLatencySignal } from "./latency-signal.ts";

describe("latency signal", () => {
  it("speaks only after 20 samples, above 4 x the median, which counts as 20 ms at least", () => {
    const signal = createLatencySignal();
    for (let i = 0; i < 19; i += 1) expect(signal.record(30)).toBe(false);
    expect(signal.record(1_000)).toBe(false);
    expect(signal.record(121)).toBe(true);
    expect(signal.record(120)).toBe(false);
    const quick = createLatencySignal();
    for (let i = 0; i < 30; i += 1) quick.record(1);
    expect(quick.record(80)).toBe(false);
    expect(quick.record(81)).toBe(true);
  });

  it("gets used to a database that stays slow", () => {
    const signal = createLatencySignal();
    for (let i = 0; i < 50; i += 1) signal.record(25);
    const slow = Array.from({ length: 60 }, () => signal.record(200));
    expect(slow[0]).toBe(true);
    expect(slow.at(-1)).toBe(false);
    expect(signal.medianMs()).toBe(200);
  });
});

describe("back-off", () => {
  it("rises at most once per delay or 5 s, falls after a quiet minute", () => {
    expect(riseAllowedBefore(100_000, 2_000)).toBe(95_000);
    expect(riseAllowedBefore(100_000, 32_000)).toBe(68_000);
    expect(fallAllowedBefore(100_000)).toBe(40_000);
  });
});

describe("event counter", () => {
  it("says when the interval is reached", () => {
    const counter = createEventCounter(() => 100);
    expect([50, 49, 1, 99, 5].map((events) => counter.add(events))).toEqual([false, false, true, false, true]);
  });
});

describe("idle", () => {
  it("lets other work run in between", async () => {
    const order: string[] = [];
    setImmediate(() => order.push("other work"));
    await yieldToEventLoop();
    order.push("next batch");
    expect(order).toEqual(["other work", "next batch"]);
  });
});
