import { expect, test } from "vitest";
import { sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { sampleRun, T0 } from "@firehose-backfill/testing/status/sample-run";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { headlineText } from "./headline.ts";
import { goalOf, progressOf } from "./progress.ts";
import { markOf, type ProgressMark } from "./progress-mark.ts";
import { renderHtml } from "./render-html.ts";
import { renderText } from "./render-text.ts";
import type { Snapshot } from "./snapshot.ts";

function shown(snapshots: readonly Snapshot[]): readonly (number | undefined)[] {
  let mark: ProgressMark | null = null;
  return snapshots.map((snapshot) => (mark = markOf(mark, snapshot))?.progress);
}

const { cursor } = sampleSnapshot();

test("issue 17.2: progress does not fall back when a pause gives up what was in the queue", () => {
  const course = [0.5, 0.54, 0.52, 0.53, 0.55].map((progress) => sampleSnapshot({ progress }));
  expect(shown(course)).toEqual([0.5, 0.54, 0.54, 0.54, 0.55]);
});

test("issue 17.2: it begins again where an operator chose an earlier position, and with another run", () => {
  const earlier = { ...cursor, applied: cursor.start };
  expect(shown([sampleSnapshot({ progress: 0.5 }), sampleSnapshot({ progress: 0.1, cursor: earlier })])).toEqual([
    0.5, 0.1,
  ]);
  expect(shown([sampleSnapshot({ progress: 0.5 }), sampleSnapshot({ progress: 0.1, runId: "run-2" })])).toEqual([
    0.5, 0.1,
  ]);
});

test("issue 17.2: progress says what it is of, on the page and in the terminal", () => {
  const page = renderHtml(sampleSnapshot(), { nonce: "n" });
  expect(page).toContain('aria-valuetext="54.1 % of the time from 2026-02-28 09:00:00 to 2026-03-01 09:00:00 UTC"');
  expect(renderText(sampleSnapshot(), { width: 300, color: false }).join("\n")).toContain(
    "progress is of the time from 2026-02-28 09:00:00 to 2026-03-01 09:00:00 UTC",
  );
});

test("issue 17.2: where the target is not known yet, nothing shows a percentage of the way", () => {
  const snapshot = sampleSnapshot({ progress: null, goal: null, etaSeconds: null, dead: 0 });
  const page = renderHtml(snapshot, { nonce: "n" });
  const body = page.slice(page.indexOf("<body"), page.indexOf("<script"));
  expect(body).toContain("target not known yet");
  expect(body.replaceAll(/<svg.*?<\/svg>/gs, "")).not.toMatch(/\d %/);
  const text = renderText(snapshot, { width: 300, color: false }).join("\n");
  expect(text).toContain("target not known yet");
  expect(text).not.toMatch(/%/);
  expect(headlineText(snapshot)).not.toContain("%");
});

test.each([
  ["nothing is read yet", sampleRun({ startPosition: null })],
  ["it ends at a sequence number that is before its start", sampleRun({ end: { kind: "seq", seq: 1 } })],
  [
    "positions have no time and the target is not known",
    sampleRun({ startPosition: { ...cursorAt(1, T0), timeMs: null }, target: null }),
  ],
])("issue 17.2: there is no progress without a goal: %s", (_, run) => {
  expect([goalOf(run), progressOf(run)]).toEqual([null, null]);
});

test("issue 17.2: the time that is left is about, or a dash", () => {
  const lines = (snapshot: Snapshot) => [
    renderHtml(snapshot, { nonce: "n" }).replaceAll(/<[^>]*>\s*/g, " "),
    renderText(snapshot, { width: 300, color: false }).join("\n"),
  ];
  const [page, text] = lines(sampleSnapshot());
  expect(page).toMatch(/Time left\s+about 2 h 32 min/);
  expect(text).toContain("ETA about 2 h 32 min");
  for (const unknown of [sampleSnapshot({ etaSeconds: null }), sampleSnapshot({ status: "succeeded", etaSeconds: 0 })])
    expect(lines(unknown)[0]).toMatch(/Time left\s+--/);
  expect(lines(sampleEmptySnapshot())[0]).not.toContain("Time left");
});
