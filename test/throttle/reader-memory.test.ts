/** A reader holds what a window holds, and nothing of what it has read before. `npm run bench -- growth` reads a million. */
import { expect, it } from "vitest";
import { measureReaderGrowth } from "./reader-growth.ts";

const LIMIT_MB = 256;
const COPIES = 25;

it("stays under its limit, and does not grow with what it has read", async () => {
  const growth = await measureReaderGrowth({ copies: COPIES, limitMb: LIMIT_MB });
  expect(growth.events).toBe(growth.expectedEvents);
  expect(growth.maxRssMb).toBeLessThan(LIMIT_MB);
  // Over the last half, in which the heap has found its size: less than the noise of a garbage collector.
  const grownMb = (growth.slopeMbPerMillion * growth.events) / 2 / 1_000_000;
  expect(grownMb).toBeLessThan(Math.max(32, 2 * growth.noiseMb));
}, 120_000);
