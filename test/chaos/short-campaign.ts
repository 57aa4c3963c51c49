/** A cut of the campaign that `npm run bench -- chaos` runs at length: a plan of lives, and what has to be true after them. */
import { expect } from "vitest";
import { temporaryFolder } from "../support/program.ts";
import { seeded } from "../simulation/simulate.ts";
import { runCampaign } from "./campaign.ts";
import type { LifePlan, Target } from "./plan.ts";

export const at = (point: Extract<LifePlan["end"], { kind: "point" }>["point"], nth: number): LifePlan => ({
  consumers: "in-process",
  end: { kind: "point", point, nth },
});
export const hit = (target: Target, afterMs: number, ...before: readonly Target[]): LifePlan => ({
  consumers: target === "consumer" || before.includes("consumer") ? "process" : "in-process",
  end: { kind: "strikes", strikes: [...before, target].map((each) => ({ target: each, afterMs })) },
});

/** Each of `kills` strikes once, and the tables and the counters are those of a quiet run. */
export async function expectNothingLost(plans: readonly LifePlan[], kills: readonly string[]): Promise<void> {
  await using folder = await temporaryFolder();
  const result = await runCampaign({
    folder: folder.path,
    plans,
    kills: kills.length,
    copies: 1,
    seed: "kills",
    random: seeded(1),
    settings: { BACKFILL_BATCH_SIZE: "10", BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_MAX_CONCURRENT: "2" },
  });
  expect(result.differences).toEqual([]);
  expect(result.kills).toEqual(Object.fromEntries(kills.map((kill) => [kill, 1])));
  expect(result.observations).toBeGreaterThan(0);
}
