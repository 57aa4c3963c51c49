import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { QueueError } from "@firehose-backfill/queue/queue-error";
import { expect, test } from "vitest";
import { joinRemovals } from "./join-removals.ts";

function setUp() {
  const clock = new VirtualClock();
  const calls: (readonly string[])[] = [];
  const lines: string[] = [];
  let failure: Error | null = null;
  const call = async (handles: readonly string[]) => {
    calls.push(handles);
    if (failure !== null) throw failure;
  };
  const queue = { remove: (handle: string) => call([handle]), removeMany: call };
  const removals = joinRemovals({ queue, clock, log: (line) => lines.push(line) });
  const fail = (error: Error | null) => {
    failure = error;
  };
  return { clock, calls, lines, removals, fail };
}

const handles = (count: number) => Array.from({ length: count }, (_, index) => `handle ${index}`);

test("issue 19.3: messages that follow each other closely are removed ten with one request; fewer after half a second", async () => {
  const { clock, calls, removals } = setUp();
  await removals.remove("first");
  for (const handle of handles(12)) await removals.remove(handle);
  expect(calls).toEqual([["first"], handles(10)]);
  await clock.advance(499);
  expect(calls).toHaveLength(2);
  await clock.advance(1);
  expect(calls.slice(2)).toEqual([["handle 10", "handle 11"]]);
  await clock.advance(5_000);
  expect(calls).toHaveLength(3);
});

test("issue 19.3: at a pace each message is removed at once, and not half a second later", async () => {
  const { clock, calls, removals } = setUp();
  for (const handle of handles(3)) {
    await removals.remove(handle);
    expect(calls.at(-1)).toEqual([handle]);
    await clock.advance(500);
  }
  expect(calls).toHaveLength(3);
});

test("issue 19.3: the end of a consumer waits until everything is removed", async () => {
  const { clock, calls, removals } = setUp();
  for (const handle of handles(3)) await removals.remove(handle);
  await removals[Symbol.asyncDispose]();
  expect(calls).toEqual([["handle 0"], ["handle 1", "handle 2"]]);
  await clock.advance(5_000);
  expect(calls).toHaveLength(2);
});

test("issue 19.3: a removal that fails is logged and ends nothing: the message comes again, and the ledger knows it", async () => {
  const { clock, calls, lines, removals, fail } = setUp();
  fail(new QueueError("DeleteMessageBatch", new Error("away")));
  for (const handle of handles(3)) await removals.remove(handle);
  await clock.advance(500);
  expect(lines).toEqual([1, 2].map(() => expect.stringContaining("DeleteMessageBatch: away")));
  fail(null);
  await removals.remove("next");
  await removals[Symbol.asyncDispose]();
  expect(calls.at(-1)).toEqual(["next"]);
});
