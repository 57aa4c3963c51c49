/** A run that looks up handles, in every view: it counts accounts, and not repositories. */
import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { goalText } from "./headline.ts";
import { buildSnapshot } from "./build-snapshot.ts";
import { renderHtml } from "./render-html.ts";
import { renderText } from "./render-text.ts";

const run = sampleRun({
  source: { kind: "handles", host: "handles of the accounts in the database" },
  progress: { known: 1_203, done: 1_200, inWork: 0, deferred: 0, failed: 3, isComplete: true },
});
const shown = buildSnapshot({
  run,
  openWindows: [],
  gaps: [],
  errors: [],
  consumers: [],
  queue: { ready: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null, deadLetters: 0 },
  rateSamples: [],
  settings: sampleSnapshot().settings,
  nowMs: Date.parse("2026-03-01T12:00:00.000Z"),
});

test("issue 17.7: a run of handles says how many accounts were looked up, and how many gave no answer", () => {
  const text = renderText(shown, { width: 100, color: false }).join("\n");
  expect(text).toContain("1,200 looked up, 3 without an answer");
  expect(text).toContain("all accounts in the database");
  expect(goalText(shown)).toBe("of 1,203 accounts");
  const page = renderHtml(shown, { nonce: "n" });
  expect(page).toMatch(/1,200 <span class="unit">looked up/);
  for (const view of [text, page]) expect(view).not.toMatch(/repositor/i);
});
