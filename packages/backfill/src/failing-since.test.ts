import { expect, test } from "vitest";
import { failingSince } from "./failing-since.ts";

const DOWN = "unreachable: connect ECONNREFUSED";
const SECOND = 1_000;

type Tick = readonly [endedBecause: string, frames: number];

/** Ticks of five seconds, one behind the other. */
function sinceAfter(ticks: readonly Tick[]): number | undefined {
  let lastTick: Parameters<typeof failingSince>[0]["lastTick"] = null;
  for (const [index, [endedBecause, frames]] of ticks.entries()) {
    const atMs = index * 5 * SECOND;
    const since = failingSince({ lastTick }, { atMs, endedBecause, frames, endedAtMs: atMs + SECOND });
    lastTick = { atMs, durationMs: SECOND, endedBecause, ...since };
  }
  return lastTick?.failingSinceMs;
}

test.each<[string, readonly Tick[], number | undefined]>([
  ["a run that reads", [["read-ahead full", 12]], undefined],
  [
    "the first tick that fails",
    [
      ["read-ahead full", 12],
      [DOWN, 0],
    ],
    5 * SECOND,
  ],
  ["a thousand ticks that fail, more than any list of errors keeps", Array.from({ length: 1_000 }, () => [DOWN, 0]), 0],
  [
    "ticks that fail by themselves belong to it",
    [
      [DOWN, 0],
      ["error: away", 0],
      [DOWN, 0],
    ],
    0,
  ],
  [
    "ticks that did not ask end nothing",
    [
      [DOWN, 0],
      ["read-ahead full", 0],
      ["memory", 0],
      [DOWN, 0],
    ],
    0,
  ],
  [
    "it was back, and went again",
    [
      [DOWN, 0],
      ["time", 4],
      [DOWN, 0],
    ],
    10 * SECOND,
  ],
  [
    "it was back within a tick, and went again",
    [
      [DOWN, 0],
      [DOWN, 4],
      [DOWN, 0],
    ],
    6 * SECOND,
  ],
  [
    "a host that is quiet is back",
    [
      [DOWN, 0],
      ["quiet", 0],
    ],
    undefined,
  ],
  [
    "a pause ends it",
    [
      [DOWN, 0],
      ["paused", 0],
      ["read-ahead full", 0],
    ],
    undefined,
  ],
])("fault 28: since when the relay is away: %s", (_name, ticks, expected) => {
  expect(sinceAfter(ticks)).toBe(expected);
});
