import fc from "fast-check";
import { expect, it } from "vitest";
import { FrameQueue, TOO_LARGE } from "./frame-queue.ts";
import { commitFrame } from "@firehose-backfill/testing/firehose/frames";

it("keeps order and size, whatever is pushed and taken in between", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant("shift" as const))), (steps) => {
      const queue = new FrameQueue();
      const model: Buffer[] = [];
      for (const step of steps) {
        if (step === "shift") {
          queue.shift();
          model.shift();
        } else {
          for (let size = 1; size <= step; size++) {
            const bytes = Buffer.alloc(size);
            queue.push(bytes);
            model.push(bytes);
          }
        }
        expect(queue.isEmpty).toBe(model.length === 0);
        expect(queue.bytes).toBe(model.reduce((sum, bytes) => sum + bytes.length, 0));
        expect(model.every((bytes, index) => queue.bytesAt(index) === bytes)).toBe(true);
        expect([queue.bytesAt(model.length), queue.frameAt(model.length)]).toEqual([null, null]);
      }
    }),
  );
});

it("reads a frame once, in its turn or before it", () => {
  const queue = new FrameQueue();
  queue.push(commitFrame({ seq: 1 }));
  queue.push(commitFrame({ seq: 2 }));
  const second = queue.frameAt(1);
  expect(second).toMatchObject({ kind: "commit", seq: 2 });
  queue.shift();
  expect(queue.frameAt(0)).toBe(second);
});

it("tells what could not be received", () => {
  const queue = new FrameQueue();
  queue.push(TOO_LARGE);
  expect(queue.frameAt(0)).toEqual({ kind: "broken", reason: "larger than 5000000 bytes" });
  expect([queue.bytesAt(0), queue.bytes, queue.isEmpty]).toEqual([null, 0, false]);
});

it("needs no more room for a stream that never lets it run empty", () => {
  const queue = new FrameQueue();
  for (let count = 0; count < 4; count++) queue.push(Buffer.alloc(1));
  for (let count = 0; count < 1_000; count++) {
    queue.push(Buffer.alloc(1));
    queue.shift();
  }
  expect([queue.bytes, queue.slots]).toEqual([4, 16]);
});
