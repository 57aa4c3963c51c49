/** What one run costs in requests to a table without TTL: not more than before several runs could be open (decision 16). */
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const MINUTE_MS = 60_000;

/** Requests of one hour, once the run is under way. */
async function anHour(delayMs: number) {
  let requests = 0;
  const simulation = await simulate({
    settings: { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: String(delayMs), BACKFILL_MAX_CONCURRENT: "2" },
    store: { beforeCall: () => void (requests += 1) },
  });
  const applied = () => simulation.results.filter(({ kind }) => kind === "applied").length;
  await simulation.pass(10 * MINUTE_MS);
  const before = { requests, applied: applied() };
  await simulation.pass(60 * MINUTE_MS);
  const after = { requests: requests - before.requests, batches: applied() - before.applied };
  await simulation.stop();
  return after;
}

test("issue 14: one run at the background pace takes 82 requests a tick of thirty batches, 110 before issue 19.3", async () => {
  const { requests, batches } = await anHour(2_000);
  expect(batches).toBe(1_800);
  expect(requests).toBeLessThanOrEqual(4_920);
});

test("issue 14: a tick of one run that has nearly nothing to do takes fewer than ten requests, as before", async () => {
  const { requests, batches } = await anHour(600_000);
  expect(batches).toBe(15);
  expect(requests).toBeLessThanOrEqual(570);
});
