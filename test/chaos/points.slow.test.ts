/** Crash points that a campaign of random moments may never meet. */
import { test } from "vitest";
import { at, expectNothingLost } from "./short-campaign.ts";

test("killed right after a send and right after the applied cursor moved, the tables and the counters are those of a quiet run", async () => {
  await expectNothingLost([at("after-send", 2), at("after-advance", 1)], ["after-send", "after-advance"]);
}, 600_000);
