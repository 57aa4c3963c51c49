/** The shortest cut of the campaign: a reader that dies between two sends, a consumer and then all of it by SIGKILL. */
import { test } from "vitest";
import { at, expectNothingLost, hit } from "./short-campaign.ts";

test("killed in three ways, the tables and the counters are those of a quiet run", async () => {
  const plans = [at("after-send-n", 3), hit("program", 200, "consumer")];
  await expectNothingLost(plans, ["after-send-n", "consumer", "program"]);
}, 600_000);
