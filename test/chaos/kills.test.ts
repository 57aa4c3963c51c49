/** The short cut of the campaign that `npm run bench -- chaos` runs at length: whoever is killed, nothing is lost and nothing is double. */
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/program.ts";
import { seeded } from "../simulation/simulate.ts";
import { runCampaign } from "./campaign.ts";
import type { LifePlan, Target } from "./plan.ts";

const at = (point: Extract<LifePlan["end"], { kind: "point" }>["point"], nth: number): LifePlan => ({
  consumers: "in-process",
  end: { kind: "point", point, nth },
});
const hit = (target: Target, afterMs: number, ...before: readonly Target[]): LifePlan => ({
  consumers: target === "consumer" || before.includes("consumer") ? "process" : "in-process",
  end: { kind: "strikes", strikes: [...before, target].map((each) => ({ target: each, afterMs })) },
});

const PLANS: readonly LifePlan[] = [
  at("after-send-n", 3),
  // Early: batches that met the outage are hidden for half a minute, which the others may use.
  hit("postgres", 200),
  at("after-commit", 20),
  hit("program", 200, "consumer"),
  hit("table", 200),
];

test("killed in six ways, the tables and the counters are those of a quiet run", async () => {
  await using folder = await temporaryFolder();
  const result = await runCampaign({
    folder: folder.path,
    plans: PLANS,
    kills: 6,
    copies: 1,
    seed: "kills",
    random: seeded(1),
    settings: { BACKFILL_BATCH_SIZE: "10", BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_MAX_CONCURRENT: "2" },
  });
  expect(result.differences).toEqual([]);
  const each = {
    "after-send-n": 1,
    "after-commit": 1,
    consumer: 1,
    program: 1,
    table: 1,
    postgres: 1,
  };
  expect(result.kills).toEqual(each);
  expect(result.observations).toBeGreaterThan(0);
}, 600_000);
