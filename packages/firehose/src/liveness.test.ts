import { describe, expect, it } from "vitest";
import { Liveness } from "./liveness.ts";
import { DEFAULT_TIMINGS } from "./timings.ts";

const timings = { ...DEFAULT_TIMINGS, pingAfterMs: 1_000, pingIntervalMs: 15_000, pongTimeoutMs: 20_000 };

function open(atMs: number): Liveness {
  const liveness = new Liveness(timings);
  liveness.check(atMs);
  liveness.frame(atMs);
  return liveness;
}

describe("Liveness", () => {
  it("pings once into a second of silence, and is over when nothing answers for 20 s", () => {
    const liveness = open(100_000);
    expect(liveness.check(100_999)).toBe("alive");
    expect(liveness.check(101_000)).toBe("ping");
    expect(liveness.check(101_001)).toBe("alive");
    expect(liveness.deadlineMs()).toBe(121_000);
    expect(liveness.check(120_999)).toBe("alive");
    expect(liveness.check(121_000)).toBe("dead");
    expect(liveness.silentForMs).toBe(21_000);
  });

  it("takes a pong for life, and pings on at leisure", () => {
    const liveness = open(100_000);
    liveness.check(101_000);
    expect(liveness.isAnswering).toBe(false);
    liveness.pong(101_050);
    expect(liveness.isAnswering).toBe(true);
    expect(liveness.quietSinceMs).toBe(100_000);
    expect(liveness.check(116_049)).toBe("alive");
    expect(liveness.check(116_050)).toBe("ping");
    expect(liveness.check(136_050)).toBe("dead");
  });

  it("forgets the answer when a frame comes: it has to be given again", () => {
    const liveness = open(100_000);
    liveness.check(101_000);
    liveness.pong(101_050);
    liveness.frame(102_000);
    expect(liveness.isAnswering).toBe(false);
    expect(liveness.deadlineMs()).toBe(103_000);
  });

  it("does not blame the host for a time in which nobody looked", () => {
    const liveness = open(100_000);
    expect(liveness.check(101_000)).toBe("ping");
    expect(liveness.check(200_000)).toBe("alive");
    expect(liveness.check(201_000)).toBe("ping");
  });
});
