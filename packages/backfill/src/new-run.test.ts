import { parseConfig } from "@firehose-backfill/core/config/parse";
import { expect, test } from "vitest";
import { followGiven, givenSettings } from "./given-settings.ts";
import { newRun, newRunId, scopeConflicts, throttleChanges } from "./new-run.ts";
import { NOW, storeWithRun } from "@firehose-backfill/testing/backfill/runs";

test.each([
  ["1", { kind: "time", timeMs: NOW - 86_400_000 }],
  ["-1", { kind: "oldest" }],
])("BACKFILL_DAYS=%s starts at %o", (days, start) => {
  const run = newRun(parseConfig({ BACKFILL_DAYS: days }), { runId: "run", nowMs: NOW });
  expect(run.start).toEqual(start);
  expect(run.end).toEqual({ kind: "caught-up" });
});

test("a run's name sorts by its start", () => {
  expect(newRunId(NOW, () => 0)).toBe("20261124-000000-0000");
  expect(newRunId(NOW + 1000, () => 0.999_999_9)).toBe("20261124-000001-zzzz");
});

test("on resume what is given and differs is a conflict of scope; what is unset is not", async () => {
  const { store, run } = await storeWithRun({ BACKFILL_COLLECTIONS: "app.bsky.feed.post", BACKFILL_DAYS: "3" });
  const scope = await store.getScope(run.runId);
  if (scope === null) throw new Error("no scope");
  expect(scopeConflicts(scope, parseConfig({}))).toEqual([]);
  expect(scopeConflicts(scope, parseConfig({ BACKFILL_COLLECTIONS: "app.bsky.feed.post" }))).toEqual([]);
  expect(
    scopeConflicts(scope, parseConfig({ BACKFILL_COLLECTIONS: "app.bsky.feed.like", BACKFILL_DAYS: "4" })),
  ).toEqual([
    { key: "days", ofRun: "3", given: "4" },
    { key: "collections", ofRun: "app.bsky.feed.post", given: "app.bsky.feed.like" },
  ]);
});

test("on resume a profile that is given is a tune of the whole pace, a single setting of itself alone", async () => {
  const { run } = await storeWithRun({ BACKFILL_PROFILE: "moderate" });
  const resumedThrottle = (settings: Record<string, string>) => followGiven(run, givenSettings(parseConfig(settings)));
  expect(resumedThrottle({})).toBeNull();
  const fast = resumedThrottle({ BACKFILL_PROFILE: "fast" });
  expect(fast?.profile).toBe("fast");
  expect(throttleChanges(run.throttle, fast?.throttle ?? run.throttle)).toMatchObject({
    batchDelayMs: { from: 1000, to: 500 },
  });
  const single = resumedThrottle({ BACKFILL_BATCH_SIZE: "30" });
  expect(throttleChanges(run.throttle, single?.throttle ?? run.throttle)).toEqual({ batchSize: { from: 20, to: 30 } });
});
