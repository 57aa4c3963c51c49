import { describe, expect, test } from "vitest";
import { sampleRun, T0 } from "@firehose-backfill/testing/status/sample-run";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { renderHtml } from "./render-html.ts";
import { renderRunsHtml } from "./render-runs-html.ts";
import { renderRunsText, renderSummariesText } from "./render-runs-text.ts";
import { runRow, runRows, runsHeadline } from "./run-row.ts";
import { parseSummaries, summaries, summaryOfRun, summaryOfSnapshot } from "./run-summary.ts";
import type { Snapshot } from "./snapshot.ts";

const EVIL = `"><script>alert(1)</script>'`;
const fine = { dead: 0, deadReasons: {} };
const outage = { text: "the relay relay.example:443 cannot be reached: ECONNREFUSED", since: null };

/** In the order in which they began. */
const RUNS = [
  sampleSnapshot({ ...fine, runId: "run-1", name: "history", ratePerSecond: 1.5, progress: 0.25 }),
  sampleSnapshot({ ...fine, runId: "run-2", outage, ratePerSecond: 0, fallsOffInSeconds: 90_000 }),
  sampleSnapshot({ ...fine, runId: "run-3", name: "nightly", status: "paused", ratePerSecond: null, lagSeconds: null }),
];

function textOf(page: string): string {
  const body = page.slice(page.indexOf("<body"), page.indexOf("<script"));
  return body.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
}

describe("issue 14.6: a list of runs", () => {
  test("says of each its name, source, state, progress, share of the pace, lag, what it waits for, and when it falls off", () => {
    expect(runRows(RUNS)).toEqual([
      expect.objectContaining({ title: "nightly", status: "paused", rate: "--", lag: "--", waitsFor: "resume" }),
      expect.objectContaining({ title: "run-2", mood: "warn", waitsFor: "the relay", fallsOff: "1 d 1 h" }),
      expect.objectContaining({
        title: "history",
        runId: "run-1",
        source: "relay.example:443",
        share: "25.0 %",
        rate: "1.5 evt/s (60 %)",
        lag: "14 h",
        waitsFor: "nothing",
      }),
    ]);
  });

  test.each<[Partial<Snapshot>, string]>([
    [{ status: "enqueued" }, "the next tick"],
    [{ status: "errored" }, "resume"],
    [{ waiting: { for: "database", since: "2026-03-01T11:00:00.000Z" } }, "database"],
    [{ outage: { text: "the reader fails: no memory", since: null } }, "the next attempt"],
    [{ status: "succeeded" }, "--"],
  ])("says what a run waits for: %j", (different, words) => {
    expect(runRow(sampleSnapshot(different))?.waitsFor).toBe(words);
  });

  test("begins with one sentence about all of them, and the colour of the worst", () => {
    expect(runsHeadline(RUNS)).toEqual({
      text: "3 runs are open: 1 needs attention, 1 waits, 1 without trouble",
      mood: "warn",
    });
    expect(runsHeadline([...RUNS, sampleSnapshot({ status: "errored" })])).toMatchObject({ mood: "bad" });
    expect(runsHeadline(RUNS.slice(0, 1))).toEqual({ text: "1 run is open: 1 without trouble", mood: "good" });
  });

  test("is the same in the terminal, newest first", () => {
    const lines = renderRunsText(RUNS, { width: 200, color: false });
    expect(lines[0]).toBe("firehose-backfill: 3 runs are open: 1 needs attention, 1 waits, 1 without trouble");
    expect(lines.filter((line) => line.includes(" on relay.example:443: "))).toEqual([
      "nightly (run-3) on relay.example:443: paused",
      "run-2 on relay.example:443: running (the relay relay.example:443 cannot be reached: ECONNREFUSED)",
      "history (run-1) on relay.example:443: running",
    ]);
    expect(lines).toContain("  25.0 %  rate 1.5 evt/s (60 %)  lag 14 h");
    expect(lines).toContain("  waits for the relay  falls off in 1 d 1 h");
  });

  test("is the same on the page, with a link to each run and to the report of each past one", () => {
    const past = [summaryOfRun(sampleRun({ runId: "run-0", status: "succeeded", finishedAtMs: T0 + 60_000 }))];
    const page = renderRunsHtml(RUNS, { nonce: "n", path: "/", past });
    for (const { runId } of RUNS) expect(page).toContain(`href="/?run=${runId}"`);
    expect(page).toContain('href="/report?run=run-0"');
    const text = textOf(page);
    for (const part of [
      "history run-1 running",
      "Rate (of the pace) 1.5 evt/s (60 %)",
      "run-0 succeeded , relay",
      "10 dead",
    ])
      expect(text).toContain(part);
  });

  test("with 20 runs stays under 60 KB", () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      sampleSnapshot({ runId: `run-${index}`, name: `n-${index}` }),
    );
    const past = Array.from({ length: 50 }, (_, index) => summaryOfRun(sampleRun({ runId: `past-${index}` })));
    expect(Buffer.byteLength(renderRunsHtml(many, { nonce: "n", path: "/", past }))).toBeLessThan(60_000);
  });

  test("escapes whatever came from somewhere else", () => {
    const evil = sampleSnapshot({ runId: EVIL, name: EVIL, host: EVIL, reason: EVIL, status: "errored" });
    const past = [{ ...summaryOfRun(sampleRun()), runId: EVIL, name: EVIL, host: EVIL, reason: EVIL }];
    expect(renderRunsHtml([evil], { nonce: "n", path: "/", past })).not.toContain("<script>alert");
  });
});

describe("issue 14.6: the page of one of several runs", () => {
  test("names the run in each of its forms, and leads to the others and to the report", () => {
    const page = renderHtml(sampleSnapshot(), { nonce: "n", isOneOfSeveral: true });
    const forms = [...page.matchAll(/<form.*?<\/form>/gs)].map(([form]) => form);
    const { runId } = sampleSnapshot();
    expect(forms.length).toBeGreaterThan(5);
    for (const form of forms) expect(form).toContain(`name="run" value="${runId}"`);
    expect(page).toContain('<a href="/runs">All runs</a>');
    expect(page).toContain(`href="/report?run=${runId}"`);
    expect(page).toContain(`href="/?run=${runId}&amp;range=hour#ranges"`);
  });

  test("names no run if there is only one", () => {
    expect(renderHtml(sampleSnapshot(), { nonce: "n" })).not.toContain('name="run"');
  });
});

describe("issue 14.6: open and past runs together", () => {
  const past = [
    summaryOfRun(sampleRun({ runId: "run-b", status: "succeeded", createdAtMs: T0, finishedAtMs: T0 + 400_000 })),
    summaryOfRun(sampleRun({ runId: "run-a", status: "cancelled", createdAtMs: T0 - 1_000, finishedAtMs: T0 })),
  ];
  const open = sampleSnapshot({ runId: "run-c", startedAt: new Date(T0 + 1_000).toISOString() });

  test("newest first, each once", () => {
    const ended = sampleSnapshot({ runId: "run-b" });
    expect(summaries([ended, open], past).map(({ runId, status }) => `${runId} ${status}`)).toEqual([
      "run-c running",
      "run-b succeeded",
      "run-a cancelled",
    ]);
  });

  test("have figures that are never higher than what was done", () => {
    expect(past[0]).toMatchObject({
      processed: 900,
      dead: 10,
      skipped: 90,
      elapsedSeconds: 400,
      averageRatePerSecond: 2.25,
    });
    expect(summaryOfRun(sampleRun({ finishedAtMs: T0 + 500 })).averageRatePerSecond).toBeNull();
    const lines = renderSummariesText(past, { width: 200, color: false });
    expect(lines.slice(0, 2)).toEqual([
      "run-b on relay.example:443: succeeded",
      "  900 applied, 10 dead; 2026-03-01 12:00:00 UTC, took 6 min 40 s, 2.25 evt/s on average",
    ]);
    expect(renderSummariesText([], { width: 80, color: false }).join()).toContain("No run yet");
  });

  test("are read again from JSON; anything else is not", () => {
    const list = summaries([open], past);
    expect(parseSummaries(JSON.parse(JSON.stringify(list)))).toEqual(list);
    for (const wrong of [null, {}, [{}], [{ ...list[0], dead: "3" }]]) expect(parseSummaries(wrong)).toBeNull();
    expect(summaryOfSnapshot(sampleSnapshot({ runId: null }))).toBeNull();
  });
});
