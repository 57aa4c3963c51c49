import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BadFrames } from "./bad-frames.ts";

const after = { seq: 7, timeMs: 1_000 };
const bytes = Buffer.alloc(20_000, 0xff);

function meet(frames: BadFrames, frame: Buffer | null = bytes): string {
  const verdict = frames.judge(frame, "truncated", after);
  frames.note(verdict);
  return verdict.kind;
}

describe("BadFrames", () => {
  it("costs two connections, then is set aside, and so is what follows it at the same position", () => {
    const frames = new BadFrames(0);
    const kinds = [0, 1, 2].map(() => {
      frames.newConnection();
      return meet(frames);
    });
    expect([...kinds, meet(frames)]).toEqual(["reconnect", "reconnect", "dead", "dead"]);
  });

  it("starts anew after a good frame", () => {
    const frames = new BadFrames(2);
    frames.goodFrame();
    expect([meet(frames), frames.count]).toEqual(["reconnect", 1]);
  });

  it("counts across readers, and records nothing twice", () => {
    const first = new BadFrames(2);
    expect([meet(first), meet(first)]).toEqual(["dead", "dead"]);
    const second = new BadFrames(first.count);
    expect([meet(second), meet(second), meet(second)]).toEqual(["known", "known", "dead"]);
  });

  it("lets a frame that is too large come in once patience is over", () => {
    const frames = new BadFrames(0);
    expect([meet(frames, null), frames.isPatienceOver]).toEqual(["reconnect", false]);
    expect([meet(frames, null), frames.isPatienceOver]).toEqual(["reconnect", true]);
    expect(meet(frames)).toBe("dead");
  });

  it("does not read a host for ever whose every frame is broken", () => {
    const frames = new BadFrames(2);
    const kinds = Array.from({ length: 101 }, () => meet(frames));
    expect(kinds.filter((kind) => kind === "dead")).toHaveLength(100);
    expect(kinds.at(-1)).toBe("reconnect");
  });

  it("keeps the beginning, and names length and hash of the whole", () => {
    const verdict = new BadFrames(2).judge(bytes, "truncated", after);
    if (verdict.kind !== "dead") throw new Error(verdict.kind);
    expect(verdict.event).toMatchObject({ reason: "bad-frame", seq: 7, timeMs: 1_000, did: null, path: null });
    expect(verdict.event.error).toBe(`after seq 7: truncated; 20000 bytes, sha-256 ${hash("sha256", bytes, "hex")}`);
    expect(verdict.event.payload).toEqual(new Uint8Array(16_384).fill(0xff));
  });
});
