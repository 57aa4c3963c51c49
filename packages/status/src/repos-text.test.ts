import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { expect, test } from "vitest";
import { goalOf, progressOf } from "./progress.ts";
import { renderHtml } from "./render-html.ts";
import { renderText } from "./render-text.ts";

const repos = { known: 1_000, done: 120, inWork: 4, deferred: 2, failed: 1 };
const hosts = [
  { host: "slow.example:443", requests: 120, errors: 3, waitingUntil: "2026-03-01T13:00:00.000Z" },
  { host: "<b>evil</b>\u001b[31m:443", requests: 1, errors: 1, waitingUntil: null },
  { host: "fine.example:443", requests: 9, errors: 0, waitingUntil: null },
];

test("issue 15.7: repositories and hosts stand in the text and on the page, and strangers' names are escaped", () => {
  const snapshot = sampleSnapshot({ source: "repos", repos, hosts, lagSeconds: null });
  const text = renderText(snapshot, { width: 160, color: false }).join("\n");
  expect(text).toContain("repos    120 of 1,000 done, 4 in work, 2 wait for their hosts, 1 failed");
  expect(text).toContain("host     slow.example:443: 120 requests, 3 errors, waits until 2026-03-01 13:00:00 UTC");
  expect(text).not.toContain("fine.example");
  expect(text).not.toContain("\u001b");
  expect(text).not.toContain("nothing applied yet");
  const page = renderHtml(snapshot, { nonce: "n" });
  expect(page).toContain("Repositories");
  expect(page).toContain("fine.example:443");
  expect(page).not.toContain("<b>evil");
  expect(renderText(sampleSnapshot(), { width: 160, color: false }).join("\n")).not.toContain("repos ");
});

test("issue 15.7: progress is by repositories, once all of them are known", () => {
  const progress = { ...repos, isComplete: true };
  expect(progressOf(sampleRun({ progress }))).toBeCloseTo(0.121, 5);
  expect(progressOf(sampleRun({ progress: { ...progress, isComplete: false } }))).toBeNull();
});

test("issue 17.2: progress by repositories says so; while they are still listed there is no percentage", () => {
  const progress = { ...repos, isComplete: true };
  expect(goalOf(sampleRun({ progress }))).toEqual({ by: "repos", from: "0", to: "1000" });
  expect(goalOf(sampleRun({ progress: { ...progress, isComplete: false } }))).toBeNull();
  const shown = sampleSnapshot({ progress: 0.121, goal: { by: "repos", from: "0", to: "1000" } });
  expect(renderHtml(shown, { nonce: "n" })).toContain("12.1 % of 1,000 repositories");
});
