/** The first table of the throttle's contract, on the real use cases: the pace holds whatever stalls, dies or comes twice. */
import { describe, expect, it } from "vitest";
import { spread } from "@firehose-backfill/testing/long";
import { measurePace } from "./pace-of.ts";
import { simulate } from "./simulate.ts";

const HOUR = 3_600_000;
const PROFILES = [
  { profile: "background", rate: 2.5, batch: 5 },
  { profile: "moderate", rate: 20, batch: 20 },
  { profile: "fast", rate: 100, batch: 50 },
] as const;

describe.each(PROFILES)("$profile", ({ profile, rate, batch }) => {
  it.each(spread([1, 2, 5, 10], [1, 10]))(
    `holds ${rate} events/s for an hour with %i at once`,
    async (maxConcurrent) => {
      const simulation = await simulate({
        settings: { BACKFILL_PROFILE: profile, BACKFILL_MAX_CONCURRENT: String(maxConcurrent) },
      });
      await simulation.pass(HOUR);
      const pace = measurePace(simulation.database.applied, simulation.startMs, simulation.startMs + HOUR);
      expect(pace.ratePerSecond / rate).toBeGreaterThan(0.98);
      expect(pace.ratePerSecond / rate).toBeLessThan(1.02);
      expect(pace.most60).toBeLessThanOrEqual(1.05 * 60 * rate + batch);
      expect(simulation.database.mostAtOnce()).toBeLessThanOrEqual(maxConcurrent);
      await simulation.stop();
    },
  );
});
