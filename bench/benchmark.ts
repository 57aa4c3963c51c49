/** What each benchmark exports to main.ts. */
export interface Benchmark {
  readonly summary: string;
  readonly run: (args: readonly string[]) => Promise<Readonly<Record<string, unknown>>>;
}
