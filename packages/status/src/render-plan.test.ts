import { parseConfig } from "@firehose-backfill/core/config/parse";
import { estimatePlan } from "@firehose-backfill/backfill/plan/estimate";
import type { Survey } from "@firehose-backfill/source/survey";
import { expect, test } from "vitest";
import { renderPlan } from "./render-plan.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 2, 1, 12);
const sample = {
  first: { ordinal: 1, timeMs: NOW_MS - 24 * HOUR_MS, token: null },
  last: { ordinal: 1_000, timeMs: NOW_MS - 24 * HOUR_MS, token: null },
  isWhole: false,
  frames: 1_000,
  bytes: 800_000,
  events: 1_200,
  matching: 300,
  rows: 290,
  recordBytes: 90_000,
};
const survey: Survey = {
  host: "relay.example\u001b[2J",
  atMs: NOW_MS,
  wantedFromMs: NOW_MS - 24 * HOUR_MS,
  stretches: [
    {
      from: { ordinal: 0, timeMs: NOW_MS - 24 * HOUR_MS, token: null },
      to: { ordinal: 8_640_000, timeMs: NOW_MS, token: null },
      sample,
    },
  ],
  isClamped: false,
  endsLater: false,
  oldestKept: { ordinal: 0, timeMs: NOW_MS - 25 * HOUR_MS, token: null },
  looks: 4,
};
const config = parseConfig({ RELAY_URL: "wss://relay.example", BACKFILL_PROFILE: "moderate" });

test("says what there is, what it takes, that it does not finish, and what would help", () => {
  const lines = renderPlan(estimatePlan(survey, config));
  expect(lines.slice(0, 18).join("\n")).toMatchInlineSnapshot(`
    "Plan for relay.example\\u001b[2J, as of 2026-03-01 12:00:00 UTC

    Window            2026-02-28 12:00:00 to 2026-03-01 12:00:00 UTC, 1 d
    The relay keeps   1 d 1 h
    Sampled           1 positions, 1,000 frames, 1,200 events
    Arriving          120 events/s
    Matching          25.0 % of them, 30 events/s
    Events to apply   about 2,592,000 (2,292,702 to 2,891,298), of 10,368,000 read (6.4 GB)
    Database          up to 2,505,600 rows, about 1.7 GB

    At this pace      20 events/s: 20 events each 1000 ms
    It takes          1 d 12 h (1 d 7 h to 1 d 16 h)
    Finishes          NO: after 3 h the relay drops events before they are read
    Costs on AWS      about $1.50 (list prices of us-east-1, 2025-11; the database kept awake included)

    Profile      events/s   takes        finishes   costs
    background   2.5        12 d         no         $9.90
    moderate     20         1 d 12 h     no         $1.50"
  `);
  const text = lines.join("\n");
  expect(text).toMatch(/^fast +100 +7 h 12 min +yes +\$/m);
  expect(text).toContain("BACKFILL_PROFILE=fast is fast enough.");
});

test("of a recording, and of nothing", () => {
  const all = renderPlan(estimatePlan({ ...survey, oldestKept: null }, config)).join("\n");
  expect(all).toContain("everything: a recording");
  expect(all).toContain("yes, before the relay drops anything");
  expect(renderPlan(estimatePlan({ ...survey, stretches: [] }, config)).at(-1)).toContain("nothing to read");
});

test("issue 15.6: of both sources it shows both, and what they take together", () => {
  const plan = estimatePlan(survey, config);
  const text = renderPlan({ ...plan, beside: { ...plan, host: "repositories of 3 accounts" } }).join("\n");
  expect(text).toContain("Plan for relay.example");
  expect(text).toContain("Plan for repositories of 3 accounts");
  expect(text).toContain("They share the pace, so together they take about 3 d");
});
