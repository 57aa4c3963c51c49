import { describe, expect, it } from "vitest";
import { addSnapshot, emptyHistory } from "./history.ts";
import { renderReport } from "./render-report.ts";
import { sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { Snapshot } from "./snapshot.ts";

const at = (minute: number, different: Partial<Snapshot> = {}): Snapshot =>
  sampleSnapshot({ at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), ...different });
const course = [
  at(0),
  at(1, { ratePerSecond: 1 }),
  at(2, { memory: { ...sampleSnapshot().memory, pauses: 1 } }),
  at(3, { memory: { ...sampleSnapshot().memory, pauses: 1 }, status: "succeeded" }),
].reduce(addSnapshot, emptyHistory(""));
const done = at(4, { status: "succeeded", dead: 0 });

describe("the report", () => {
  it("says until when the copy is true, and how to go on", () => {
    const page = renderReport(done, course);
    expect(page).toContain("The copy is complete up to 2026-03-01 09:00:00 UTC (sequence number 4215000).");
    expect(page).toContain("start --since-last");
    const gap = { from: { seq: 1, time: "a" }, to: { seq: 2, time: "b" }, host: "h", reason: "too old" };
    const holed = renderReport(at(4, { dead: 3, gaps: [gap] }), course);
    expect(holed).toContain("up to 2026-02-28 22:00:00 UTC (sequence number 4161900), but for 3 events that could not");
    expect(holed).toContain("and the gaps below");
  });

  it("draws four courses, with numbered marks for what happened", () => {
    const page = renderReport(done, course);
    expect(page.match(/<svg/g)).toHaveLength(4);
    expect(page.match(/class="mark"/g)).toHaveLength(course.marks.length * 4);
    expect(page).toMatch(/<li class="memory"><time>2026-01-01 00:02:00<\/time> paused for memory/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("breaks the line where nobody was there to look", () => {
    const late = [30, 31, 32]
      .map((minute) => at(minute))
      .reduce(addSnapshot, [0, 1, 2, 3].map((m) => at(m)).reduce(addSnapshot, emptyHistory("")));
    const [, line = ""] = /class="line" d="([^"]*)"/.exec(renderReport(at(33), late)) ?? [];
    expect(line.match(/M/g)).toHaveLength(2);
  });

  it("sends no requests, and runs nothing that came from the network", () => {
    const page = renderReport(at(4, { host: "<script>x</script>", reason: "\u001b[2J<b>" }), course);
    expect(page).not.toMatch(/<script|<link|https?:|<b>/);
    expect(page).not.toContain("\u001b");
  });

  it("has no plots without a course, or with another run's", () => {
    for (const history of [null, { ...course, runId: "another" }, emptyHistory(done.runId ?? "")]) {
      expect(renderReport(done, history)).not.toContain("<svg");
    }
    expect(renderReport(sampleEmptySnapshot(), null)).toContain("Nothing has been applied yet.");
  });
});
