import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleCourse } from "@firehose-backfill/testing/status/sample-snapshot";
import { formatRate } from "../format.ts";
import type { HistoryPoint } from "../history.ts";
import { coursePlot } from "./course-plot.ts";
import { extentOf, labelMarks } from "./plot-scale.ts";

const WIDTH_MS = 1_000_000;

describe("issue 17.2: the marks of a plot", () => {
  test("no two labels overlap, whatever happened, and each mark is in one of them, in order", () => {
    const times = fc.array(fc.integer({ min: 0, max: WIDTH_MS }), { maxLength: 100 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.005, max: 0.05, noNaN: true }), (atMs, characterWidth) => {
        const marks = atMs.toSorted((a, b) => a - b).map((at, index) => ({ atMs: at, label: String(index + 1) }));
        const groups = labelMarks(marks, { xOf: (at) => at / WIDTH_MS, characterWidth });
        expect(groups.flatMap((group) => group.marks)).toEqual(marks);
        const extents = groups.map((group) => extentOf(group, characterWidth));
        for (const [index, [from, to]] of extents.entries()) {
          expect(from).toBeGreaterThanOrEqual(-1e-9);
          expect(to).toBeLessThanOrEqual(1 + 1e-9);
          expect(from).toBeGreaterThanOrEqual(extents[index - 1]?.[1] ?? 0);
        }
      }),
    );
  });

  test("marks that are far apart have a label each; close ones share one", () => {
    const marks = [100, 110, 120, 500, 900].map((at, index) => ({ atMs: at, label: String(index + 1) }));
    const groups = labelMarks(marks, { xOf: (at) => at / 1_000, characterWidth: 0.036 });
    expect(groups.map(({ label }) => label)).toEqual(["1-3", "4", "5"]);
  });
});

describe("issue 17.2: a plot of the page", () => {
  const draw = (reference?: Parameters<typeof coursePlot>[0]["reference"], course = sampleCourse()) =>
    coursePlot({
      course,
      valueOf: (point) => point.ratePerSecond,
      ...(reference === undefined ? {} : { reference }),
      unit: "events/s",
      label: "Rate over time",
      format: formatRate,
    }).markup;

  test("has its unit, both axes, and the times at their ends", () => {
    const text = draw().replaceAll(/<[^>]*>/g, " ");
    expect(text.replaceAll(/\s+/g, " ")).toMatch(/events\/s 4 2 0 .*09:00 10:29 11:59/);
  });

  test("draws the allowed rate as it was at each moment", () => {
    const course = sampleCourse();
    const points = course.points.map((point, index) => ({ ...point, allowedRatePerSecond: index < 90 ? 2.5 : 5 }));
    const reference = {
      name: "allowed",
      of: (point: HistoryPoint) => point.allowedRatePerSecond,
    };
    const path = /class="plot-reference" d="([^"]+)"/.exec(draw(reference, { ...course, points }))?.[1] ?? "";
    expect(new Set([...path.matchAll(/ (\d+)/g)].map(([, y]) => y)).size).toBe(2);
  });

  test("says so where there is nothing to draw yet", () => {
    expect(draw(undefined, { range: "all", points: [], marks: [] })).toContain("The course of the run appears here.");
    expect(draw(undefined, { range: "hour", points: [], marks: [] })).toContain("too little in this range");
  });
});
