/** The answer of a redrive: how much is back in the queue, what stays dead and why, and what cannot be applied here. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { type DatabaseIdentity, otherDatabase } from "@firehose-backfill/core/database-identity";
import { describeError } from "@firehose-backfill/core/errors";
import { chooseRun, labelOf } from "./open-run.ts";
import { redriveDead, type RedriveDeps } from "./redrive.ts";

export interface RedriveAnswerDeps extends RedriveDeps {
  /** Where events are applied. Absent: not known here. */
  readonly database?: () => Promise<DatabaseIdentity>;
}

/** For these reasons, the row in `dead_events` holds no event. */
const NEVER_COMPLETE = "bad-frame, seq-outlier, too-big and too-large cannot be redriven";

/**
 * `wanted`: the id or the name of a run; left out: what is dead of every run. `run` of the answer: that one; else the open one, or the last one.
 * @throws ChooseRunError where no run has this id or name
 */
export async function redriveAndSay(
  deps: RedriveAnswerDeps,
  wanted?: string,
): Promise<{ message: string; run: Run | null }> {
  const chosen = wanted === undefined ? null : await chooseRun(deps, "redrive", wanted);
  const only = chosen === null ? {} : { runId: chosen.runId };
  const { deadLetters, lettersLeft, deadEvents, untriable, abandoned } = await redriveDead(deps, only);
  const run = chosen ?? (await deps.store.currentRun());
  const elsewhere = deadLetters === 0 || run === null ? null : await otherThan(deps, run);
  const stay = [
    ...(lettersLeft === 0 ? [] : [`about ${lettersLeft} dead batches are left: redrive again`]),
    ...(untriable === 0
      ? []
      : [`${untriable} events stay dead, because no complete event was received (${NEVER_COMPLETE})`]),
    ...(abandoned === 0 ? [] : [`${abandoned} events were not tried, because their run is cancelled or not known`]),
    ...(elsewhere === null
      ? []
      : [`batches of run ${run?.runId} stay in the queue until this is mended: ${elsewhere}`]),
  ];
  const whose = chosen === null ? "" : ` of ${labelOf(chosen)}`;
  const message = `${deadLetters} dead letters and ${deadEvents} dead events${whose} are back in the queue; they are applied at the pace of the run`;
  return { message: [message, ...stay].join("; "), run };
}

/** null: events are applied in the database of the run, or it is not known where. */
async function otherThan({ database }: RedriveAnswerDeps, run: Run): Promise<string | null> {
  if (database === undefined) return null;
  try {
    return otherDatabase(run.runId, run.database, await database());
  } catch (error) {
    // The batches are back in the queue by now, so a problem is added to the answer and does not replace it.
    return describeError(error);
  }
}
