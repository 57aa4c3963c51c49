import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundRecentTimes } from "./recent-times.ts";
import { movedState, NO_STATE, readState, type RelayState, writeState } from "./relay-state.ts";

const anyState = fc.record({
  startReached: fc.boolean(),
  hostSeen: fc.boolean(),
  brokenFrames: fc.nat(3),
  recentTimesMs: fc.array(fc.integer({ min: 0, max: 4e12 }), { maxLength: 150 }),
});

describe("the state of a relay's reader", () => {
  test("reads back as it was written, and is small whatever the stream said", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const text = writeState(state);
        expect(readState(text)).toEqual({ ...state, recentTimesMs: boundRecentTimes(state.recentTimesMs) });
        expect(text.length).toBeLessThanOrEqual(580);
      }),
    );
  });

  test("is nothing before the first window", () => {
    expect(readState(null)).toEqual(NO_STATE);
  });

  test.each(["", "{}", "[1]", "[true,true]", "[true,true,0,null]", '[true,true,0,"AAAA"]', "state"])(
    "that is damaged is not read: %s",
    (damaged) => {
      expect(() => readState(damaged)).toThrow(expect.objectContaining({ name: "BrokenStateError" }));
    },
  );

  test("after the cursor was set elsewhere: no times, no broken frames; the start stays reached from a cursor alone", () => {
    const state: RelayState = { startReached: true, hostSeen: true, brokenFrames: 2, recentTimesMs: [1, 2, 3] };
    const moved = { hostSeen: true, brokenFrames: 0, recentTimesMs: [] };
    expect(movedState(state, true)).toEqual({ ...moved, startReached: true });
    expect(movedState(state, false)).toEqual({ ...moved, startReached: false });
    expect(movedState(NO_STATE, true)).toEqual(NO_STATE);
  });
});
