import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Inbox } from "./inbox.ts";

const FRAME = Buffer.alloc(100_000);
const HIGH_WATER_BYTES = 1_048_576;

/** `look`: what the owner does when frames have come. It is told the inbox. */
function setUp(look: (inbox: Inbox) => void) {
  const waiting = { bytes: 0, isPaused: false };
  const inbox: Inbox = new Inbox({
    onFrames: () => look(inbox),
    pause: () => void (waiting.isPaused = true),
    resume: () => void (waiting.isPaused = false),
  });
  /** As a socket sends: until it is paused. */
  const send = async (frames: number): Promise<number> => {
    for (let sent = 0; sent < frames; sent++) {
      if (waiting.isPaused) return waiting.bytes;
      inbox.push(FRAME);
      waiting.bytes += FRAME.length;
      if (sent % 3 === 2) await turn();
    }
    return waiting.bytes;
  };
  return { inbox, send };
}

describe("issue 19.5: while a frame is doubted", () => {
  it("frames come in as long as its owner asks for them, however many wait", async () => {
    let isDecided = false;
    const { send } = setUp((inbox) => {
      if (!isDecided) inbox.admit();
    });
    expect(await send(40)).toBe(40 * FRAME.length);
    isDecided = true;
    expect(await send(1_000)).toBeLessThanOrEqual(41 * FRAME.length);
  });

  it("the socket is paused when its owner does not look any more, because the window is over", async () => {
    let isReading = true;
    const { inbox, send } = setUp((its) => {
      if (isReading) its.admit();
    });
    await send(3);
    isReading = false;
    expect(await send(1_000)).toBeLessThan(HIGH_WATER_BYTES + 2 * FRAME.length);
    isReading = true;
    inbox.admit();
    expect(await send(40)).toBeGreaterThan(4 * HIGH_WATER_BYTES - FRAME.length);
  });
});
