import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";

test("an aborted sleep ends at once and is no error", async () => {
  const controller = new AbortController();
  const sleep = systemClock.sleep(60_000, controller.signal);
  controller.abort();
  await expect(sleep).resolves.toBeUndefined();
  await expect(systemClock.sleep(60_000, controller.signal)).resolves.toBeUndefined();
});

test("a sleep lasts at least as long as it says", async () => {
  const startMs = performance.now();
  await systemClock.sleep(20, new AbortController().signal);
  // Timers use whole milliseconds and may fire 1 ms early by this clock.
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(19);
});

test("now is the wall clock", () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
});
