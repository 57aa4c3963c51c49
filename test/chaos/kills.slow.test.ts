/** Whoever is killed, the stand-ins and Postgres too: nothing is lost and nothing is double. */
import { test } from "vitest";
import { at, expectNothingLost, hit } from "./short-campaign.ts";

test("killed in five more ways, the tables and the counters are those of a quiet run", async () => {
  const plans = [
    at("before-cursor", 2),
    // Early: batches that met the outage are hidden for half a minute, which the others may use.
    hit("postgres", 200),
    at("after-commit", 20),
    hit("queue", 200),
    hit("table", 200),
  ];
  await expectNothingLost(plans, ["before-cursor", "postgres", "after-commit", "queue", "table"]);
}, 600_000);
