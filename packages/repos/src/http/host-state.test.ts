import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterRequest, type HostState, isGivenUp, NEW_HOST, readyAtMs, takeTurn, waitForMs } from "./host-state.ts";

const NOW_MS = Date.UTC(2026, 10, 28);
const headers =
  (values: Readonly<Record<string, string>> = {}) =>
  (name: string) =>
    values[name] ?? null;
const waitOf = (state: HostState) => (state.waitingUntilMs ?? 0) - NOW_MS;
const limited = (values?: Readonly<Record<string, string>>, state = NEW_HOST, random = 0) =>
  afterRequest(state, { kind: "rate-limited", header: headers(values) }, NOW_MS, random);

describe("the pace of a host", () => {
  it("issue 15.5: never more requests in any second than its rate, whenever they come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (gaps, rate) => {
          let state = NEW_HOST;
          let nowMs = NOW_MS;
          const sent: number[] = [];
          for (const gap of gaps) {
            nowMs += gap;
            const turn = takeTurn(state, nowMs, rate);
            ({ state } = turn);
            sent.push(turn.atMs);
          }
          for (const [index, atMs] of sent.entries()) {
            const later = sent.slice(index).filter((other) => other < atMs + 999);
            expect(later.length).toBeLessThanOrEqual(rate);
          }
          expect(state.requests).toBe(gaps.length);
        },
      ),
      { seed: 6 },
    );
  });
});

describe("after a 429", () => {
  it.each<[string, Readonly<Record<string, string>>, number]>([
    ["Retry-After in seconds", { "retry-after": "120" }, 120_000],
    ["Retry-After as a date", { "retry-after": new Date(NOW_MS + 90_000).toUTCString() }, 90_000],
    ["Retry-After before RateLimit-Reset", { "retry-after": "7", "ratelimit-reset": "300" }, 7_000],
    ["RateLimit-Reset as a duration", { "ratelimit-reset": "300" }, 300_000],
    ["RateLimit-Reset as a moment", { "ratelimit-reset": String(NOW_MS / 1_000 + 42) }, 42_000],
    ["Retry-After that is none", { "retry-after": "soon", "ratelimit-reset": "30" }, 30_000],
    ["no header at all", {}, 60_000],
    // A longer one is respected for a day; by then the host is given up.
    ["seven hours", { "retry-after": "25200" }, 25_200_000],
    ["a year", { "retry-after": "31536000" }, 86_400_000],
    ["nothing", { "retry-after": "0" }, 1_000],
    ["a moment that has passed", { "ratelimit-reset": String(NOW_MS / 1_000 - 5) }, 1_000],
  ])("issue 15.5: %s", (_, values, expected) => {
    expect(waitOf(limited(values))).toBe(expected);
  });

  it("issue 15.5: without headers the wait doubles to an hour, and begins anew after an answer", () => {
    const waits: number[] = [];
    let state = NEW_HOST;
    for (let turn = 0; turn < 9; turn++) {
      state = limited({}, state);
      waits.push(waitOf(state) / 60_000);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(state).toMatchObject({ failures: 9, errors: 9 });
    state = afterRequest(state, { kind: "answered", header: headers() }, NOW_MS, 0);
    expect(state).toMatchObject({ failures: 0, errors: 9, waitingUntilMs: null });
    expect(waitOf(limited({}, state))).toBe(60_000);
  });

  it("waits are spread, never shortened", () => {
    expect(waitOf(limited({}, NEW_HOST, 1))).toBe(75_000);
    expect(waitOf(limited({ "retry-after": "60" }, NEW_HOST, 1))).toBe(60_000);
  });
});

describe("a host that refuses for hours", () => {
  const HOUR = 3_600_000;
  /** Refused each time it may be asked, for so long. */
  function refusedFor(
    hours: number,
    values: Readonly<Record<string, string>> = {},
  ): { state: HostState; nowMs: number } {
    let state = limited(values);
    let nowMs = readyAtMs(state);
    while (nowMs - NOW_MS < hours * HOUR) {
      state = afterRequest(state, { kind: "rate-limited", header: headers(values) }, nowMs, 0);
      nowMs = readyAtMs(state);
    }
    return { state, nowMs };
  }

  it("issue 15.5: is given up after six hours, and not before", () => {
    const { state } = refusedFor(8);
    expect(isGivenUp(state, NOW_MS + 6 * HOUR - 1)).toBe(false);
    expect(isGivenUp(state, NOW_MS + 6 * HOUR)).toBe(true);
    expect(isGivenUp(NEW_HOST, NOW_MS)).toBe(false);
  });

  it("issue 15.5: a Retry-After that is longer is not waited for: the host is given up unasked", () => {
    const { state } = refusedFor(0, { "retry-after": "43200" });
    expect(readyAtMs(state) - NOW_MS).toBe(12 * HOUR);
    expect(waitForMs(state, NOW_MS) - NOW_MS).toBe(6 * HOUR);
    expect(waitForMs(limited({ "retry-after": "90" }), NOW_MS) - NOW_MS).toBe(90_000);
  });

  it("issue 15.5: one good answer, or an hour in which nobody asked, begins the six hours anew", () => {
    const { state, nowMs } = refusedFor(8);
    const answered = afterRequest(state, { kind: "answered", header: headers() }, nowMs, 0);
    expect(isGivenUp(answered, nowMs)).toBe(false);
    const turn = takeTurn(state, nowMs + HOUR, 2);
    const again = afterRequest(turn.state, { kind: "rate-limited", header: headers() }, nowMs + HOUR, 0);
    expect(isGivenUp(again, nowMs + HOUR)).toBe(false);
    expect(isGivenUp(afterRequest(state, { kind: "failed" }, nowMs + HOUR - 1, 0), nowMs + HOUR)).toBe(true);
  });
});

describe("after other answers", () => {
  it("a failure pauses the host, longer each time", () => {
    const once = afterRequest(NEW_HOST, { kind: "failed" }, NOW_MS, 0);
    expect([waitOf(once), waitOf(afterRequest(once, { kind: "failed" }, NOW_MS, 0))]).toEqual([5_000, 10_000]);
  });

  it("the last request of a limit waits for its reset without a 429", () => {
    const header = headers({ "ratelimit-remaining": "0", "ratelimit-reset": "30" });
    const state = afterRequest(NEW_HOST, { kind: "answered", header }, NOW_MS, 0);
    expect([waitOf(state), readyAtMs(state) - NOW_MS, state.failures]).toEqual([30_000, 30_000, 0]);
  });
});
