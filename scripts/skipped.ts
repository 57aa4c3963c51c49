/** Explains which tests a run of vitest skipped and why, so that a skipped test does not look like a passed one. Pure. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly {
    readonly file: string;
    /** The titles of the test and of its groups, outermost first. */
    readonly titles: readonly string[];
  }[];
}

/** The reason in a title that says what its test needs, such as `(needs a Chromium: apt-get install chromium)`. */
export const WHY = /\((?:skipped: |needs )[^()]+\)/;

/** One line for each file and reason, most frequent first. */
export function skippedReasons({ skipped }: Pick<TestReport, "skipped">): readonly string[] {
  const counts = new Map<string, number>();
  for (const { file, titles } of skipped) {
    const said = titles.map((title) => WHY.exec(title)?.[0].slice(1, -1)).find((why) => why !== undefined);
    const line = `${file}: ${said ?? "its title gives no reason"}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([line, count]) => `Skipped: ${count} in ${line}`);
}
