import { describe, expect, it } from "vitest";
import { GapProof } from "./gap-proof.ts";
import type { ProbeResult } from "./probe.ts";
import { handClock } from "@firehose-backfill/testing/firehose/hand-clock";

const MINUTE = 60_000;
const cursor = { seq: 100, timeMs: 10 * MINUTE };
const first = { seq: 900, timeMs: 100 * MINUTE };
const frame = (seq: number, timeMs = 90 * MINUTE): ProbeResult => ({
  kind: "frame",
  position: { seq, timeMs },
  isOutdated: false,
});

function scene(...results: readonly ProbeResult[]) {
  const clock = handClock();
  let probes = 0;
  const proof = new GapProof({
    clock,
    timings: { gapSuspicionMs: 10 * MINUTE, gapProbeIntervalMs: MINUTE },
    probe: async () => results[probes++] ?? { kind: "silent" },
    onWake: () => undefined,
  });
  return { clock, proof, probes: () => probes };
}

describe("GapProof", () => {
  it.each([
    [10 * MINUTE, 20 * MINUTE + 1, true],
    [10 * MINUTE, 20 * MINUTE, false],
    [0, 100 * MINUTE, false],
  ])("suspects only what is more than 10 minutes later: %i, %i", (from, to, expected) => {
    expect(scene().proof.isSuspicious(from, to)).toBe(expected);
  });

  it.each([
    ["the oldest kept is above cursor + 1", frame(500), { seq: 500, timeMs: 90 * MINUTE }],
    ["the oldest has moved beyond our first frame", frame(950, 101 * MINUTE), first],
    ["everything is kept", frame(101), null],
    ["more than that is kept", frame(3), null],
  ])("%s", async (_, result, to) => {
    const { clock, proof } = scene(result);
    proof.suspect(cursor, first);
    expect(proof.isPending).toBe(true);
    proof.poll();
    await clock.advance(1);
    expect(proof.isPending).toBe(false);
    const finding = proof.takeFinding();
    expect(finding?.gap?.to ?? null).toEqual(to);
    expect(finding?.gap?.from ?? null).toEqual(to === null ? null : cursor);
    expect(finding?.oldestKeptMs).toBe(result.kind === "frame" ? result.position.timeMs : null);
    expect(proof.takeFinding()).toBeNull();
  });

  it("proves nothing where the probe sees nothing", async () => {
    const { clock, proof } = scene({ kind: "failed", detail: "429" });
    proof.suspect(cursor, first);
    proof.poll();
    await clock.advance(1);
    expect(proof.takeFinding()).toEqual({ gap: null, oldestKeptMs: null });
  });

  it("asks at most once a minute; a second suspicion waits", async () => {
    const { clock, proof, probes } = scene(frame(101), frame(500));
    proof.suspect(cursor, first);
    proof.poll();
    await clock.advance(1_000);
    proof.takeFinding();
    proof.suspect(cursor, first);
    proof.poll();
    await clock.advance(58_000);
    proof.poll();
    expect([probes(), proof.isPending]).toEqual([1, true]);
    expect(proof.deadlineMs).toBe(clock.now() + 1_000);
    await clock.advance(1_000);
    proof.poll();
    await clock.advance(1);
    expect([probes(), proof.takeFinding()?.gap?.to.seq]).toEqual([2, 500]);
  });
});
