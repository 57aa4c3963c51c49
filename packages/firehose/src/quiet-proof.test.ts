import { describe, expect, it } from "vitest";
import type { ProbeResult } from "./probe.ts";
import { type QuietFacts, QuietProof } from "./quiet-proof.ts";
import { type HandClock, handClock } from "@firehose-backfill/testing/firehose/hand-clock";

const FRAME: ProbeResult = { kind: "frame", position: { seq: 8, timeMs: 1 }, isOutdated: false };
const SILENT: ProbeResult = { kind: "silent" };
const FAILED: ProbeResult = { kind: "failed", detail: "429" };

interface Scene {
  readonly clock: HandClock;
  readonly proof: QuietProof;
  readonly looks: { cursor: number | null; aboveSeq: number; listenMs: number }[];
  readonly facts: QuietFacts;
}

function setUp(...results: readonly ProbeResult[]): Scene {
  const clock = handClock();
  const looks: Scene["looks"] = [];
  const proof = new QuietProof({
    clock,
    timings: { quietMs: 5_000 },
    probe: async (look, signal) => {
      const result = results[looks.length] ?? SILENT;
      looks.push(look);
      await clock.sleep(look.listenMs, signal);
      return result;
    },
    onWake: () => undefined,
  });
  return { clock, proof, looks, facts: { quietSinceMs: clock.now(), isAnswering: true, cursor: 7, aboveSeq: 7 } };
}

describe("QuietProof", () => {
  it("needs nothing on three connections, 5 s each: ours, one from the cursor, a live one", async () => {
    const { clock, proof, looks, facts } = setUp();
    await clock.advance(4_999);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 0]);
    await clock.advance(1);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 1]);
    await clock.advance(5_000);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 2]);
    await clock.advance(5_000);
    expect(proof.poll(facts)).toBe("quiet");
    expect(looks).toEqual([
      { cursor: 7, aboveSeq: 7, listenMs: 5_000 },
      { cursor: null, aboveSeq: 7, listenMs: 5_000 },
    ]);
  });

  it("waits for a ping to be answered", async () => {
    const { clock, proof, looks, facts } = setUp();
    await clock.advance(60_000);
    expect([proof.poll({ ...facts, isAnswering: false }), looks.length]).toEqual(["open", 0]);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 1]);
  });

  it.each<[string, readonly ProbeResult[], string]>([
    ["the second connection", [FRAME], "stuck"],
    ["the live one", [SILENT, FRAME], "silent-on-cursor"],
  ])("a frame on %s alone, for 5 s", async (_, results, verdict) => {
    const { clock, proof, facts } = setUp(...results);
    await clock.advance(5_000);
    for (let left = results.length; left > 0; left--) {
      proof.poll(facts);
      await clock.advance(5_000);
    }
    expect(proof.poll(facts)).toBe("open");
    await clock.advance(4_999);
    expect(proof.poll(facts)).toBe("open");
    await clock.advance(1);
    expect(proof.poll(facts)).toBe(verdict);
  });

  it("is off when our own connection brings the frame too", async () => {
    const { clock, proof, facts } = setUp(SILENT, FRAME);
    for (let step = 0; step < 3; step++) {
      await clock.advance(5_000);
      proof.poll(facts);
    }
    await clock.advance(1_000);
    const later = { ...facts, quietSinceMs: clock.now(), aboveSeq: 8 };
    expect(proof.poll(later)).toBe("open");
    await clock.advance(4_500);
    expect(proof.poll(later)).toBe("open");
  });

  it.each([
    ["a frame", (scene: Scene) => ({ ...scene.facts, quietSinceMs: scene.clock.now() })],
    ["a pause or an end of the connection", (scene: Scene) => ({ ...scene.facts, quietSinceMs: null })],
  ])("begins anew after %s", async (_, change) => {
    const whole = setUp();
    const { clock, proof, looks, facts } = whole;
    await clock.advance(5_000);
    proof.poll(facts);
    await clock.advance(4_000);
    proof.poll(change(whole));
    await clock.advance(1_000);
    const since = { ...facts, quietSinceMs: clock.now() - 1_000 };
    expect([proof.poll(since), looks.length]).toEqual(["open", 1]);
    await clock.advance(4_000);
    expect([proof.poll(since), looks.length]).toEqual(["open", 2]);
    expect(looks[1]?.cursor).toBe(7);
  });

  it("proves nothing when it cannot look, and asks again after a while", async () => {
    const { clock, proof, looks, facts } = setUp(FAILED);
    await clock.advance(5_000);
    proof.poll(facts);
    await clock.advance(5_000);
    expect(proof.poll(facts)).toBe("open");
    await clock.advance(29_999);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 1]);
    await clock.advance(1);
    expect([proof.poll(facts), looks.length]).toEqual(["open", 2]);
  });
});
