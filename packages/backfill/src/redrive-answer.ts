/** The answer of a redrive: how much is back in the queue, what stays dead and why, and what cannot be applied here. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { MAX_RESYNCS } from "@firehose-backfill/checkpoint/resync-store";
import { type DatabaseIdentity, otherDatabase } from "@firehose-backfill/core/database-identity";
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import { chooseRun, labelOf } from "./open-run.ts";
import { redriveDead, type RedriveDeps, redriveOne } from "./redrive.ts";

export interface RedriveAnswerDeps extends RedriveDeps {
  /** Where events are applied. Absent: not known here. */
  readonly database?: () => Promise<DatabaseIdentity>;
}

/** For these reasons, the row in `dead_events` holds no event. */
const NEVER_COMPLETE = "bad-frame, seq-outlier, too-big and too-large cannot be redriven";

/**
 * `id`: one dead event; `reason`: dead events with this one, and no dead letters; `run`: the id or the name of a run, of which everything dead is tried; neither: what is dead of every run. `run` of
 * the answer: that one, or the event's; else the open one, or the last one.
 * @throws ChooseRunError where no run has this id or name
 */
export async function redriveAndSay(
  deps: RedriveAnswerDeps,
  wanted: { readonly id?: string; readonly reason?: string; readonly run?: string } = {},
): Promise<{ message: string; run: Run | null }> {
  const chosen = wanted.run === undefined ? null : await chooseRun(deps, "redrive", wanted.run);
  if (wanted.id !== undefined) {
    const { run, repository } = await redriveOne(deps, wanted.id);
    if (repository !== null)
      return {
        message: `dead event ${wanted.id} is closed: the repository ${repository} is requested to be read anew`,
        run,
      };
    return {
      message: `dead event ${wanted.id} is back in the queue; it is applied at the pace of ${labelOf(run)}`,
      run,
    };
  }
  const { reason } = wanted;
  const only = { ...(chosen === null ? {} : { runId: chosen.runId }), ...(reason === undefined ? {} : { reason }) };
  const { deadLetters, lettersLeft, deadEvents, untriable, repositories, abandoned } = await redriveDead(deps, only);
  const run = chosen ?? (await deps.store.currentRun());
  const elsewhere = deadLetters === 0 || run === null ? null : await otherThan(deps, run);
  const stay = [
    ...(lettersLeft === 0 ? [] : [`about ${lettersLeft} dead batches are left: redrive again`]),
    ...(untriable === 0
      ? []
      : [`${untriable} events stay dead, because no complete event was received (${NEVER_COMPLETE})`]),
    ...(repositories.requested === 0 ? [] : [readAnew(repositories.requested)]),
    ...(repositories.left === 0
      ? []
      : [
          `${repositories.left} dead events are repositories that could not be read; they stay dead, because ${MAX_RESYNCS} requests for resyncs are stored already: redrive again when firehose-backfill resyncs lists fewer`,
        ]),
    ...(repositories.tooLong === 0
      ? []
      : [`${repositories.tooLong} dead events are repositories whose DID is too long to be requested; they stay dead`]),
    ...(abandoned === 0 ? [] : [`${abandoned} events were not tried, because their run is cancelled or not known`]),
    ...(elsewhere === null
      ? []
      : [`batches of run ${run?.runId} stay in the queue until this is mended: ${elsewhere}`]),
  ];
  const whose = chosen === null ? "" : ` of ${labelOf(chosen)}`;
  if (reason !== undefined && deadEvents === 0 && stay.length === 0)
    throw new UsageError(`nothing is redriven: no dead event${whose} has the reason ${reason}`);
  const what =
    reason === undefined
      ? `${deadLetters} dead letters and ${deadEvents} dead events`
      : `${deadEvents} dead events with the reason ${reason}`;
  const message = `${what}${whose} are back in the queue; they are applied at the pace of the run`;
  return { message: [message, ...stay].join("; "), run };
}

function readAnew(requested: number): string {
  return requested === 1
    ? "1 repository that could not be read is requested to be read anew"
    : `${requested} repositories that could not be read are requested to be read anew`;
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
