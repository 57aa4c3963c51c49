/** What the large plots of the report and the small ones of the page share: lines with holes, round scales, labels that do not overlap. Pure. */

export interface PlotPoint {
  readonly atMs: number;
  /** null: not known at that point; the line has a gap. */
  readonly value: number | null;
  /** A reference line, such as the allowed rate. */
  readonly reference?: number | null;
}

export interface PlotMark {
  readonly atMs: number;
  /** The label above its line, a number; the list below the plots explains it. */
  readonly label: string;
}

/** If no point came for this many usual spacings, no process was running, and the line has a gap. */
const HOLE_SPACINGS = 4;

/** The `d` of a path. */
export function lineOf(
  points: readonly PlotPoint[],
  valueOf: (point: PlotPoint) => number | null,
  x: (atMs: number) => number,
  y: (value: number) => number,
): string {
  const hole = HOLE_SPACINGS * spacingOf(points);
  let path = "";
  let lastMs: number | null = null;
  for (const point of points) {
    const value = valueOf(point);
    if (value === null) lastMs = null;
    else {
      path += `${lastMs === null || point.atMs - lastMs > hole ? "M" : "L"}${x(point.atMs)} ${y(value)}`;
      lastMs = point.atMs;
    }
  }
  return path;
}

/** The usual distance of two points: the median. */
function spacingOf(points: readonly PlotPoint[]): number {
  const gaps = points.slice(1).map(({ atMs }, index) => atMs - (points[index]?.atMs ?? atMs));
  return gaps.toSorted((left, right) => left - right)[gaps.length >> 1] ?? 0;
}

/** The next of 1, 2, 4, 5, 8 times a power of ten, so that four even steps of it are short numbers. */
export function niceTop(highest: number): number {
  if (highest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= highest * 1.02) ?? 20) * power;
}

/** For seconds, so that four even steps of it are whole minutes, hours or days. */
export function niceDuration(highest: number): number {
  const minute = [4, 8, 20, 40, 60, 120, 240, 480, 720, 1_440, 2_880].find((top) => top * 60 >= highest * 1.02);
  return minute === undefined ? Math.ceil((highest * 1.02) / FOUR_DAYS) * FOUR_DAYS : minute * 60;
}

const FOUR_DAYS = 4 * 86_400;

/** One label for marks that are close to each other: `3`, or `3-5`. */
export interface LabelledMarks {
  readonly marks: readonly PlotMark[];
  readonly label: string;
  /** The middle of the label, as a share of the width. */
  readonly at: number;
}

/** Where a label begins and ends, as a share of the width; it stays inside. */
export function extentOf({ label, at }: LabelledMarks, characterWidth: number): readonly [number, number] {
  const half = (label.length * characterWidth) / 2;
  const middle = Math.min(1 - half, Math.max(half, at));
  return [middle - half, middle + half];
}

/**
 * Labels for the marks, sorted by time, in groups, so that no two labels overlap. `xOf` gives a mark's place and `characterWidth` that of
 * one character, both as a share of the width.
 */
export function labelMarks(
  marks: readonly PlotMark[],
  { xOf, characterWidth }: { readonly xOf: (atMs: number) => number; readonly characterWidth: number },
): readonly LabelledMarks[] {
  const groups: LabelledMarks[] = [];
  for (const mark of marks.toSorted((a, b) => a.atMs - b.atMs)) {
    let next = groupOf([mark], xOf);
    // A wider label may reach the one before it, so this goes on to the left until it does not.
    for (let before = groups.at(-1); before !== undefined; before = groups.at(-1)) {
      if (extentOf(before, characterWidth)[1] + characterWidth / 2 <= extentOf(next, characterWidth)[0]) break;
      groups.pop();
      next = groupOf([...before.marks, ...next.marks], xOf);
    }
    groups.push(next);
  }
  return groups;
}

function groupOf(marks: readonly PlotMark[], xOf: (atMs: number) => number): LabelledMarks {
  const [first, last] = [marks[0], marks.at(-1)];
  if (first === undefined || last === undefined) return { marks, label: "", at: 0 };
  const label = marks.length === 1 ? first.label : `${first.label}-${last.label}`;
  return { marks, label, at: (xOf(first.atMs) + xOf(last.atMs)) / 2 };
}
