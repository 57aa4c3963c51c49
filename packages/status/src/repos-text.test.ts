import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { expect, test } from "vitest";
import { goalOf, progressOf } from "./progress.ts";
import { renderHtml } from "./render-html.ts";
import { renderReport } from "./render-report.ts";
import { renderText } from "./render-text.ts";
import { currentText } from "./repos-text.ts";

const repos = { known: 1_000, done: 120, inWork: 4, deferred: 2, failed: 1, current: null };
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

test("issue 15.7: the repository that is being read stands with its records and its key, in text, page and report", () => {
  const current = { did: "did:plc:a", key: "app.bsky.feed.post/3kabcdefghi2a", records: 12_000, estimated: 96_000 };
  const shown = sampleSnapshot({ source: "repos", repos: { ...repos, current }, hosts });
  const text = "did:plc:a: 12,000 of about 96,000 records, at app.bsky.feed.post/3kabcdefghi2a (2023-09-26)";
  expect(renderText(shown, { width: 160, color: false }).join("\n")).toContain(`reading  ${text}`);
  expect(renderHtml(shown, { nonce: "n" })).toContain(text);
  const report = renderReport(shown, null);
  expect(report).toContain(text);
  expect(report).toContain("120 of 1,000");
  expect(report).toContain("slow.example:443");
  expect(report).toContain("1: each is a dead event; redrive reads it anew");
  expect(report).not.toContain("<b>evil");
  expect(report).not.toContain("sequence number");
  expect(renderReport(sampleSnapshot(), null)).not.toContain("Repositories</h2>");
});

test("issue 15.7: a key that is no TID has no day; what strangers chose is escaped; nothing in work says nothing", () => {
  const current = { did: "did:web:x", key: "a.b.c/self\u001b[31m", records: 1, estimated: null };
  expect(currentText({ ...repos, current })).toBe("did:web:x: 1 record, at a.b.c/self\\u001b[31m");
  expect(currentText(repos)).toBeNull();
});
