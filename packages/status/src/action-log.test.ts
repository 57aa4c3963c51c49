import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { actionLog } from "./action-log.ts";
import { renderHtml } from "./render-html.ts";

const change = (from: number, to: number) => ({ BACKFILL_BATCH_DELAY_MS: { from, to } });
const snapshot = sampleSnapshot({
  actions: [
    { at: "2026-03-01T08:00:00.000Z", what: "start", by: "command", detail: "" },
    { at: "2026-03-01T08:02:00.000Z", what: "pause", by: "page", detail: "<b>now</b>\n" },
  ],
  tunes: [
    { at: "2026-03-01T08:01:00.000Z", by: "tune", who: "page", pending: false, changes: change(2000, 4000) },
    { at: "2026-03-01T08:03:00.000Z", by: "off-peak", pending: false, changes: change(4000, 1000) },
    { at: "2026-03-01T08:04:00.000Z", by: "deploy", pending: false, changes: change(1000, 2000) },
  ],
});

test("issue 17.5: actions and changes of the pace are one list, by time, and say by which way they came", () => {
  expect(actionLog(snapshot).map(({ what, by, detail }) => `${what} by ${by}: ${detail}`)).toEqual([
    "start by command: ",
    "tune by page: BACKFILL_BATCH_DELAY_MS 2000 -> 4000",
    String.raw`pause by page: <b>now</b>\n`,
    "tune by schedule (off-peak): BACKFILL_BATCH_DELAY_MS 4000 -> 1000",
    "tune by deploy: BACKFILL_BATCH_DELAY_MS 1000 -> 2000",
  ]);
});

test("issue 17.5: the page of the run shows it, the newest first, escaped", () => {
  const page = renderHtml(snapshot, { nonce: "n" });
  expect(page).toContain("Who did what (5)");
  expect(page.indexOf("by deploy")).toBeLessThan(page.indexOf("by command"));
  expect(page).toContain("&lt;b&gt;now&lt;/b&gt;");
  expect(page).not.toContain("<b>now</b>");
});
