import fc from "fast-check";
import { expect, test } from "vitest";
import { LAST, ledgerPath, pad, readLedgerPath, windowPath } from "./keys.ts";

const key = fc.record({
  generation: fc.integer({ min: 0, max: 999_999 }),
  window: fc.integer({ min: 0, max: 9_999_999_999 }),
  fence: fc.integer({ min: 0, max: 9_999_999_999 }),
  number: fc.integer({ min: 0, max: 9_999_999 }),
});

test("entries sort by generation, window, fence and number, and read back", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const order = a.generation - b.generation || a.window - b.window || a.fence - b.fence || a.number - b.number;
      const [first, second] = [ledgerPath(a), ledgerPath(b)];
      expect(Math.sign(order)).toBe(first === second ? 0 : first < second ? -1 : 1);
      expect(readLedgerPath("run", first)).toEqual({ ...a, runId: "run" });
      expect(first > windowPath(a.generation, a.window) && first < windowPath(a.generation, a.window) + LAST).toBe(
        true,
      );
    }),
  );
});

test("a number that does not fit is an error, not another order", () => {
  for (const value of [1000, -1, 1.5, NaN, Infinity])
    expect(() => pad(value, 3)).toThrow(expect.objectContaining({ name: "BrokenStateError" }));
  expect(pad(999, 3)).toBe("999");
  expect(() => readLedgerPath("run", "1#2#x#4")).toThrow(expect.objectContaining({ name: "BrokenStateError" }));
});
