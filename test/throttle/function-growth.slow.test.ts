/**
 * What reader and consumer hold does not grow with what they have done: as bundled functions, each in one process that is not replaced.
 * `npm run bench -- growth --reader 1 --most 10000000` does the same with ten million events.
 */
import { expect, it } from "vitest";
import { measureFunctionGrowth, type MemorySample } from "./function-growth.ts";

/** Between two collections. V8 compiles more code meanwhile, and drops some: up to 0.6 MB was seen. */
const NOISE_MB = 1.5;
/** The limit is 256 MB. A reader that did not pause its socket took 190 to 250 MB. */
const READER_MB = 180;
const CONSUMER_MB = 160;
/** From one sample to the next, a leak is 6 MB. */
const LEAK_MB = 6;

it.each([
  { measured: "reader", at: [100_000, 200_000, 300_000], mostMb: READER_MB },
  { measured: "consumer", at: [10_000, 35_000, 60_000], mostMb: CONSUMER_MB },
] as const)(
  "issue 19.5: the $measured holds no more after many events than after some, and a leak would be noticed",
  async ({ measured, at, mostMb }) => {
    const bytesAnEvent = Math.ceil((LEAK_MB * 1024 * 1024) / (at[2] - at[1]));
    const [some, many, leaking] = await measureFunctionGrowth({
      measured,
      at,
      collect: true,
      leak: { afterSample: 1, bytesAnEvent },
    });
    if (some === undefined || many === undefined || leaking === undefined) throw new Error("a sample is missing");
    expect(held(many) - held(some)).toBeLessThan(NOISE_MB);
    expect(many.rssMb).toBeLessThan(mostMb);
    expect(held(leaking) - held(many)).toBeGreaterThan(NOISE_MB);
  },
  300_000,
);

/** What is alive: objects, and the buffers that they own. */
function held({ heapMb, externalMb }: MemorySample): number {
  return heapMb + externalMb;
}
