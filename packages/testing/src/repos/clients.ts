/** Clients for servers on loopback, and time for clients that run on a virtual clock. */
import { systemClock } from "@firehose-backfill/core/clock";
import type { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { vi } from "vitest";
import type { HostState } from "@firehose-backfill/repos/http/host-state";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import {
  createPoliteClient,
  type PoliteClient,
  type PoliteClientOptions,
} from "@firehose-backfill/repos/http/polite-client";
import type { RequestLimits } from "@firehose-backfill/repos/http/request";
import { loopbackNames } from "./http-server.ts";

export const LIMITS: RequestLimits = {
  maxBytes: 100_000,
  maxInflatedBytes: 200_000,
  deadlineMs: 60_000,
  minBytesPerWindow: 1_000,
  windowMs: 10_000,
};

/** Default: without a rate limit. */
export function testClient(options: Partial<PoliteClientOptions> = {}): PoliteClient {
  return createPoliteClient({
    clock: systemClock,
    random: () => 0,
    resolveName: loopbackNames,
    userAgent: "test/1",
    rules: { allowLoopback: true },
    requestsPerSecond: 10_000,
    states: hostTable(100),
    maxWaitMs: 10_000,
    ...options,
  });
}

/** A client, the states it stores, and two ways to call it: for the answer, or for the error. */
export function clientOf(options: Partial<PoliteClientOptions> = {}) {
  const states = new Map<string, HostState>();
  const client = testClient({ states, ...options });
  const get = (origin: string, limits: Partial<RequestLimits> = {}, signal = new AbortController().signal) =>
    client.get(
      { origin, path: "/x", accept: "*/*", limits: { ...LIMITS, ...limits } },
      signal,
      async ({ status, body }) => {
        let text = "";
        for await (const chunk of body) text += Buffer.from(chunk).toString("latin1");
        return { status, text };
      },
    );
  const failure = async (origin: string, limits?: Partial<RequestLimits>, signal?: AbortSignal): Promise<unknown> =>
    get(origin, limits, signal).then(
      () => "answered",
      (error: unknown) => error,
    );
  return { client, states, get, failure };
}

/** Moves the clock, while real sockets get real time, until the promise settles. */
export async function passTime<T>(clock: VirtualClock, promise: Promise<T>, stepMs = 1_000): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  await vi.waitUntil(
    async () => {
      if (!isSettled) await clock.advance(stepMs);
      return isSettled;
    },
    { timeout: 30_000, interval: 5 },
  );
  return await settled;
}
