import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { renderReport } from "./render-report.ts";
import { renderText } from "./render-text.ts";
import { sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";

const PLAIN = { width: 200, color: false };

it.each([
  [0, "lag      nothing applied yet"],
  // Batches are applied, but the first window is not complete, so the applied cursor has not moved.
  [120, "lag      not known yet: the first window is not applied as a whole"],
])("the lag after %i events of the first window", (processed, line) => {
  const snapshot = sampleSnapshot({ processed, lagSeconds: null });
  const cursor = { ...snapshot.cursor, applied: null };
  expect(renderText({ ...snapshot, cursor }, { width: 200, color: false })).toContain(line);
  const report = renderReport({ ...snapshot, cursor }, null);
  expect(report.includes("Nothing has been applied yet.")).toBe(processed === 0);
});

describe("renderText", () => {
  it("says where a run stands", () => {
    expect(renderText(sampleSnapshot(), PLAIN)).toEqual([
      "firehose-backfill: running (but 3 of 26,953 events are dead) - relay.example:443 - background - run-20260301-0900-k3",
      `${"█".repeat(21)}${"░".repeat(19)} 54.1 %  ETA about 2 h 32 min  elapsed 3 h`,
      "rate     2.49 evt/s of 2.5 allowed, 2.48 on average",
      "events   28,120 received, 26,950 processed, 1,130 skipped (collection 830, did 90, before-start 210), 3 dead (nul-character 2, missing-block 1)",
      "lag      14 h (applied up to 2026-02-28 22:00:00 UTC, seq 4161900); falls off the relay's window in 2 d 10 h",
      "queue    1 ready, 2 in flight, 45 delayed, oldest 1 min 58 s, 0 dead letters",
      "memory   384 / 512 MB, 0 pauses; 1 of 2 batches at work, 1 of 2 connections",
      "tick     30 s ago (read-ahead full), next in 30 s",
      "asked    1 day back, from 2026-02-28 09:00:00 UTC; had: from 2026-02-28 09:00:00 UTC, 1 d back; progress is of the time from 2026-02-28 09:00:00 to 2026-03-01 09:00:00 UTC",
      "advice   look at them with firehose-backfill dead, fix the cause, then: firehose-backfill redrive",
    ]);
  });

  it("says what is wrong, and why nothing moves", () => {
    const text = renderText(
      sampleSnapshot({
        status: "errored",
        reason: "the host is silent",
        etaSeconds: null,
        memory: { usedMb: 530, limitMb: 512, pauses: 1, lastPauseAt: null, backOff: 4 },
        gaps: [{ from: { seq: 1, time: "" }, to: { seq: 2, time: "" }, host: "h", reason: "gone" }],
        errors: [{ at: "2026-03-01T11:00:00Z", source: "reader", message: "refused" }],
      }),
      PLAIN,
    ).join("\n");
    expect(text).toContain("errored (the host is silent)");
    expect(text).toContain("ETA --");
    expect(text).toContain("backing off x4");
    expect(text).toContain("1 pause;");
    expect(text).toContain("gaps     1: the host no longer had these stretches");
    expect(text).toContain("error    2026-03-01 11:00:00 reader: refused");
  });

  it("says that a tune has not acted yet", () => {
    const tune = { at: "2026-03-01T11:59:59Z", by: "tune", changes: {} };
    const pace = (pending: boolean) => renderText(sampleSnapshot({ tunes: [{ ...tune, pending }] }), PLAIN)[2];
    expect(pace(true)).toContain("; a tune is pending until the next batch");
    expect(pace(false)).not.toContain("tune");
  });

  it("marks what is stale, and what is stopped", () => {
    const lastTick = { at: "2026-03-01T11:50:00.000Z", durationMs: 0, endedBecause: "read-ahead full" };
    expect(renderText(sampleSnapshot({ lastTick }), PLAIN).join("\n")).toContain(
      "stale    no sign of the reader for 10 min",
    );
    const stopped = renderText(sampleSnapshot({ lastTick, stopped: true }), PLAIN).join("\n");
    expect(stopped).toContain("stopped: the process is gone, last seen 2026-03-01 12:00:00 UTC");
    expect(stopped).not.toContain("stale");
  });

  it("warns before the relay drops what is to be read, as the page does", () => {
    expect(renderText(sampleSnapshot({ fallsOffInSeconds: 18_600 }), PLAIN).join("\n")).toContain(
      "behind   falls off the relay's window in 5 h 10 min: a shorter batch delay",
    );
    expect(renderText(sampleSnapshot({ fallsOffInSeconds: 200_000 }), PLAIN).join("\n")).not.toContain("behind ");
  });

  it("says that nothing paces it", () => {
    const text = renderText(sampleSnapshot({ allowedRatePerSecond: null }), PLAIN).join("\n");
    expect(text).toContain("rate     2.49 evt/s, no pacing, 2.48 on average");
  });

  it("says how to begin where there is no run", () => {
    expect(renderText(sampleEmptySnapshot(), PLAIN)).toEqual([
      "firehose-backfill: idle",
      "No run yet. Begin one with: firehose-backfill start --days 1",
    ]);
  });

  it("fits the width of a terminal, whatever it is", () => {
    for (const width of [20, 40, 79, 80, 120]) {
      for (const line of renderText(sampleSnapshot(), { width, color: true })) {
        expect(Array.from(stripVTControlCharacters(line)).length).toBeLessThanOrEqual(width);
      }
    }
    expect(renderText(sampleSnapshot(), { width: 40, color: false })[2]).toBe(
      "rate     2.49 evt/s of 2.5 allowed, 2.4…",
    );
  });

  it("has the same text with colours and without", () => {
    const well = sampleSnapshot({ dead: 0, deadReasons: {} });
    const colored = renderText(well, { ...PLAIN, color: true });
    expect(colored.map((line) => stripVTControlCharacters(line))).toEqual(renderText(well, PLAIN));
    expect(colored.join("")).toContain("\u001b[32mrunning\u001b[0m");
  });

  it("obeys nothing that came from the network", () => {
    const evil = "\u001b[2J\r\nforged\u202e";
    const text = renderText(
      sampleSnapshot({
        host: evil,
        reason: evil,
        skipped: { [evil]: 1 },
        lastTick: { at: "2026-03-01T11:59:30.000Z", durationMs: 0, endedBecause: evil },
        errors: [{ at: evil, source: evil, message: evil }],
      }),
      { ...PLAIN, width: 1_000 },
    );
    expect(text.join("")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
