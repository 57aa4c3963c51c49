/** What is said of the runs of a tick: of each by itself, so that one whose status cannot be read does not silence the others. */
import { labelOf } from "@firehose-backfill/backfill/open-run";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";

export interface Told {
  /** A sentence for each run, in their order. */
  readonly said: readonly string[];
  /** What was thrown first; it is logged already. null: nothing was. */
  readonly failure: { readonly error: unknown } | null;
}

export async function tellEach<T extends { readonly run: Run }>(
  results: readonly T[],
  { tell, log }: { readonly tell: (result: T) => Promise<string>; readonly log: (line: string) => void },
): Promise<Told> {
  const said: string[] = [];
  let failure: Told["failure"] = null;
  for (const result of results) {
    try {
      said.push(await tell(result));
    } catch (error) {
      failure ??= { error };
      const label = labelOf(result.run);
      log(`[BACKFILL] The status of ${label} could not be read or told: ${describeError(error)}`);
      said.push(`the status of ${label} could not be told`);
    }
  }
  return { said, failure };
}
