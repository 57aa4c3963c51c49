/** Advice before a start: what the operator should change or know, in whole sentences with the settings' names. Pure. */
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import { batchMsOf } from "@firehose-backfill/core/cost/usage";
import type { Measurement } from "./measure.ts";
import { neededRate, type Race } from "./race.ts";
import type { Survey } from "@firehose-backfill/source/survey";
import { AUDITED_ROWS_PER_SECOND } from "@firehose-backfill/core/audit-note";
import type { PacePlan } from "./types.ts";

export interface AdviceInput {
  readonly survey: Survey;
  readonly measured: Measurement;
  readonly race: Race | null;
  readonly pace: PacePlan;
  readonly profiles: readonly PacePlan[];
}

export function adviceFor(input: AdviceInput): readonly string[] {
  const { survey, measured } = input;
  const advice: string[] = [];
  if (survey.stretches.length === 0) return ["There is nothing to read between the start and the end."];
  if (survey.isClamped)
    advice.push(
      survey.host === SAMPLE_HOST
        ? "The recording is shorter than you asked for: the run begins at its first event."
        : "The relay keeps less than you asked for: the run begins at the oldest it keeps. BACKFILL_SOURCE=both reads what is older from the repositories.",
    );
  if (survey.endsLater) advice.push("The end lies in the future: events that are still to come are not counted here.");
  if (measured.matching.expected === 0 && measured.events > 0)
    advice.push("Nothing that was sampled passes the filters: check BACKFILL_COLLECTIONS and BACKFILL_DIDS.");
  advice.push(...howToFinish(input));
  return advice;
}

/** `sample`: BACKFILL_AUDIT_SAMPLE. Its requests and transactions are asserted in test/audit/costs.slow.test.ts. */
export function auditAdvice(sample: number): readonly string[] {
  if (sample === 0) return [];
  const number = sample.toLocaleString("en-US");
  const audited = sample === 1 ? "1 repository at random is" : `${number} repositories at random are`;
  const rows = AUDITED_ROWS_PER_SECOND.toLocaleString("en-US");
  return [
    `After the run, ${audited} audited (BACKFILL_AUDIT_SAMPLE): for each, a request to the directory, one to its host, and one transaction. Of the tables it reads ${rows} rows a second at most.`,
  ];
}

function howToFinish({ measured, race, pace, profiles }: AdviceInput): readonly string[] {
  if (race === null || pace.finishes === "yes") return [];
  // By the high estimate, because advice that is slightly too low would let the operator lose events.
  const share = measured.matching.high / Math.max(1, measured.matching.expected);
  const needed = neededRate(race);
  if (needed === null || !Number.isFinite(needed))
    return [
      "The run would begin at the oldest event the relay keeps, and the relay drops events while it runs: ask for fewer days (BACKFILL_DAYS).",
    ];
  const rate = needed * share;
  const advice = [`To finish it has to apply ${formatRate(rate)} events a second or more.`];
  const profile = profiles.find(({ finishes }) => finishes === "yes");
  if (profile !== undefined) advice.push(`BACKFILL_PROFILE=${profile.profile ?? ""} is fast enough.`);
  advice.push(singleSetting(pace, rate));
  advice.push("Or ask for less: fewer BACKFILL_COLLECTIONS or BACKFILL_DIDS, or fewer BACKFILL_DAYS.");
  return advice;
}

const LARGEST_BATCH = 1_000;
/** From this size on, the events of a batch take longer than its round trips, so larger batches gain little. */
const COMFORTABLE_BATCH = 50;

/** Only the delay if that is enough; otherwise also a larger batch and as many at once as necessary. */
function singleSetting({ batchSize, batchDelayMs, maxConcurrent }: PacePlan, rate: number): string {
  const delayFor = (size: number) => Math.floor((size * 1_000) / rate);
  const settings: string[] = [];
  let size = batchSize;
  if (delayFor(size) < batchMsOf(size))
    size = Math.min(LARGEST_BATCH, Math.max(size, COMFORTABLE_BATCH, Math.ceil((rate * batchMsOf(0)) / 1_000)));
  if (size !== batchSize) settings.push(`BACKFILL_BATCH_SIZE=${size}`);
  if (batchDelayMs !== 0) settings.push(`BACKFILL_BATCH_DELAY_MS=${delayFor(size)}`);
  const atOnce = Math.ceil((rate * batchMsOf(size)) / 1_000 / size) + 1;
  if (atOnce > maxConcurrent) settings.push(`BACKFILL_MAX_CONCURRENT=${atOnce}`);
  return `Or set: ${settings.join(", ")}.`;
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : Math.ceil(perSecond).toLocaleString("en-US");
}
