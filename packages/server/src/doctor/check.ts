/** One line of the doctor's: what was looked at, how it is, and what to do about it. */
import { describeError } from "@firehose-backfill/core/errors";

export const VERDICTS = ["ok", "warn", "fail"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found. */
  readonly finding: string;
  /** What to do; null where there is nothing to do. */
  readonly advice: string | null;
}

export function ok(name: string, finding: string): Check {
  return { name, verdict: "ok", finding, advice: null };
}

export function warn(name: string, finding: string, advice: string): Check {
  return { name, verdict: "warn", finding, advice };
}

export function fail(name: string, finding: string, advice: string): Check {
  return { name, verdict: "fail", finding, advice };
}

/** One examination that fails takes no other along: what it threw is its own line. Never rejects. */
export async function isolated(name: string, examine: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await examine();
  } catch (error) {
    const knowsItself = error instanceof Error && "isRetryable" in error && error.message !== "";
    return fail(
      name,
      knowsItself ? error.message : describeError(error),
      "this check failed: fix its cause, then run doctor again",
    );
  }
}
