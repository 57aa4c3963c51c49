import { describe, expect, it } from "vitest";
import { Pulse } from "./pulse.ts";
import { DEFAULT_TIMINGS } from "./timings.ts";

const timings = { ...DEFAULT_TIMINGS, pingAfterMs: 1_000, pingIntervalMs: 15_000, pongTimeoutMs: 20_000 };

function open(atMs: number): Pulse {
  const pulse = new Pulse(timings);
  pulse.check(atMs);
  pulse.frame(atMs);
  return pulse;
}

describe("Pulse", () => {
  it("pings once into a second of silence, and is over when nothing answers for 20 s", () => {
    const pulse = open(100_000);
    expect(pulse.check(100_999)).toBe("alive");
    expect(pulse.check(101_000)).toBe("ping");
    expect(pulse.check(101_001)).toBe("alive");
    expect(pulse.deadlineMs()).toBe(121_000);
    expect(pulse.check(120_999)).toBe("alive");
    expect(pulse.check(121_000)).toBe("dead");
    expect(pulse.silentForMs).toBe(21_000);
  });

  it("takes a pong for life, and pings on at leisure", () => {
    const pulse = open(100_000);
    pulse.check(101_000);
    expect(pulse.isAnswering).toBe(false);
    pulse.pong(101_050);
    expect(pulse.isAnswering).toBe(true);
    expect(pulse.quietSinceMs).toBe(100_000);
    expect(pulse.check(116_049)).toBe("alive");
    expect(pulse.check(116_050)).toBe("ping");
    expect(pulse.check(136_050)).toBe("dead");
  });

  it("forgets the answer when a frame comes: it has to be given again", () => {
    const pulse = open(100_000);
    pulse.check(101_000);
    pulse.pong(101_050);
    pulse.frame(102_000);
    expect(pulse.isAnswering).toBe(false);
    expect(pulse.deadlineMs()).toBe(103_000);
  });

  it("does not blame the host for a time in which nobody looked", () => {
    const pulse = open(100_000);
    expect(pulse.check(101_000)).toBe("ping");
    expect(pulse.check(200_000)).toBe("alive");
    expect(pulse.check(201_000)).toBe("ping");
  });
});
