import { expect, test } from "vitest";
import { untilAborted } from "./until-aborted.ts";

test("what the work comes to, while nobody stops it", async () => {
  expect(await untilAborted(Promise.resolve(7), undefined)).toBe(7);
  expect(await untilAborted(Promise.resolve(7), new AbortController().signal)).toBe(7);
  await expect(untilAborted(Promise.reject(new Error("no")), new AbortController().signal)).rejects.toThrow("no");
});

test("the signal's reason, however long the work takes, and also when it was aborted before", async () => {
  const stop = new AbortController();
  const waiting = untilAborted(new Promise(() => {}), stop.signal);
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await expect(untilAborted(new Promise(() => {}), stop.signal)).rejects.toThrow("stopped");
});
