/** What a run of vitest says of its tests, and why some were skipped: what did not run must not look as if it had passed. Pure. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly {
    readonly file: string;
    /** Of the test and of what it is in, the outermost first. */
    readonly titles: readonly string[];
  }[];
}

/** A title that says what its test needs, `(needs a Chromium: apt-get install chromium)`, says why it is skipped. */
export const WHY = /\((?:skipped: |needs )[^()]+\)/;

/** One line a file and reason, the most first. */
export function skippedReasons({ skipped }: Pick<TestReport, "skipped">): readonly string[] {
  const counts = new Map<string, number>();
  for (const { file, titles } of skipped) {
    const said = titles.map((title) => WHY.exec(title)?.[0].slice(1, -1)).find((why) => why !== undefined);
    const line = `${file}: ${said ?? "its title gives no reason"}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([line, count]) => `Skipped: ${count} in ${line}`);
}
