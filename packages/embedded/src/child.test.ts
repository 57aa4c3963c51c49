import { expect, test, vi } from "vitest";
import { ChildError, forkChild } from "./child.ts";

const entry = new URL("../../testing/src/embedded/child-behaviours.ts", import.meta.url);
const readyTimeoutMs = 10_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const untilGone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 20 });

test("hands over what the child reports and stops it by asking", async () => {
  const child = await forkChild({ entry, args: ["ready", "42"], readyTimeoutMs });
  expect(child.ready).toEqual({ value: "42", pid: child.pid });
  await child[Symbol.asyncDispose]();
  expect(await child.exited).toBe(0);
  await vi.waitFor(() => expect(child.tail()).toContain("stopped"));
  await child[Symbol.asyncDispose]();
});

test("a child that ends before it is ready fails with its code and its last words", async () => {
  const failure = forkChild({ entry, args: ["crash"], readyTimeoutMs });
  await expect(failure).rejects.toThrow(ChildError);
  await expect(failure).rejects.toThrow(/exit code 7.*no such luck/s);
});

test("a child that never gets ready is given up and leaves no process", async () => {
  await expect(forkChild({ entry, args: ["silent"], readyTimeoutMs: 600 })).rejects.toThrow(/not ready within 600 ms/);
});

test("an abort while it starts rejects with the reason", async () => {
  const signal = AbortSignal.timeout(100);
  await expect(forkChild({ entry, args: ["silent"], readyTimeoutMs, signal })).rejects.toThrow(/timeout/);
});

test("a child that does not stop when asked is killed", async () => {
  const child = await forkChild({ entry, args: ["stubborn"], readyTimeoutMs, stopTimeoutMs: 100 });
  await child[Symbol.asyncDispose]();
  expect(await child.exited).toBe(null);
  expect(isAlive(child.pid)).toBe(false);
});

test("signals do not end it, not even those of the whole group: its parent decides", async () => {
  await using child = await forkChild({ entry, args: ["ready"], readyTimeoutMs });
  process.kill(child.pid, "SIGINT");
  process.kill(child.pid, "SIGHUP");
  process.kill(child.pid, "SIGTERM");
  await child[Symbol.asyncDispose]();
  // If a signal had ended it, it would have no exit code.
  expect(await child.exited).toBe(0);
});

test("it ends when its parent is killed", async () => {
  const parent = await forkChild({ entry, args: ["parent"], readyTimeoutMs });
  const pid = Number(parent.ready);
  expect(isAlive(pid)).toBe(true);
  process.kill(parent.pid, "SIGKILL");
  await parent.exited;
  await untilGone(pid);
});
