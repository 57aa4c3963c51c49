import { expect, test } from "vitest";
import { createLimiter } from "./limiter.ts";

test("no more than its limit are inside, and they come in the order they asked", async () => {
  const limiter = createLimiter(() => 2);
  const order: number[] = [];
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      limiter.run(async () => {
        order.push(n);
        most = Math.max(most, limiter.active());
        await Promise.resolve();
      }),
    ),
  );
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test("a permit is free again after a failure, and is given back once", async () => {
  const limiter = createLimiter(() => 1);
  await expect(limiter.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(limiter.run(async () => "yes")).resolves.toBe("yes");
  const never = new AbortController().signal;
  const leave = await limiter.enter(never);
  leave?.();
  leave?.();
  expect(limiter.active()).toBe(0);
});

test("a limit that moves: down lets running work finish, up lets more in", async () => {
  let limit = 3;
  const limiter = createLimiter(() => limit);
  const never = new AbortController().signal;
  const first = await Promise.all([limiter.enter(never), limiter.enter(never), limiter.enter(never)]);
  limit = 1;
  let isIn = false;
  const next = limiter.enter(never).then((leave) => {
    isIn = true;
    return leave;
  });
  first[0]?.();
  first[1]?.();
  await Promise.resolve();
  expect([isIn, limiter.active()]).toEqual([false, 1]);
  first[2]?.();
  (await next)?.();
  limit = 2;
  await Promise.all([limiter.enter(never), limiter.enter(never)]);
  expect(limiter.active()).toBe(2);
});

test("a waiter that is told to stop leaves the queue without a permit", async () => {
  const limiter = createLimiter(() => 1);
  const leave = await limiter.enter(new AbortController().signal);
  const stop = new AbortController();
  const waiting = limiter.enter(stop.signal);
  const behind = limiter.enter(new AbortController().signal);
  stop.abort();
  expect(await waiting).toBeNull();
  expect(await limiter.enter(AbortSignal.abort())).toBeNull();
  leave?.();
  expect(await behind).not.toBeNull();
});
