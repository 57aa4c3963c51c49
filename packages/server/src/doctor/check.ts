/** One line of the doctor: what was checked, the result, and what to do about it. */
import { describeError } from "@firehose-backfill/core/errors";

export const VERDICTS = ["ok", "warn", "fail"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Check {
  /** What was checked, in a word or two. */
  readonly name: string;
  readonly verdict: Verdict;
  /** The result. */
  readonly finding: string;
  /** What to do; null if there is nothing to do. */
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

/** If a check fails, the others still run: its error becomes its own line. Never rejects. */
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
