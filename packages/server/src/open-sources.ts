/** The sources that the local server knows: one line for each kind of source in each of the two lists. */
import { relayKit, type RelayKitOptions } from "@firehose-backfill/firehose/kit";
import { type RelayOptions, relaySurveyor } from "@firehose-backfill/firehose/surveyor";
import { invertCommit } from "@firehose-backfill/repos/invert-commit";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { ReposKitOptions } from "@firehose-backfill/repos/source/lister";
import { handlesKit, type HandlesKitOptions } from "@firehose-backfill/repos/handles/kit";
import { surveyHandles } from "@firehose-backfill/repos/handles/survey-handles";
import { repoSurveyor } from "@firehose-backfill/repos/source/surveyor";
import type { SourceKit, Sources } from "@firehose-backfill/source/kit";

export function openSources(
  options: RelayOptions & Pick<RelayKitOptions, "resolveKey"> & ReposKitOptions & HandlesKitOptions,
): Sources {
  return {
    relay: relayKit({ ...options, invertCommit }),
    repos: reposKit(options),
    handles: handlesKit(options),
  };
}

export function openSurveyors(
  options: RelayOptions & Omit<ReposKitOptions, "items">,
): Sources<Pick<SourceKit, "survey">> {
  return { relay: relaySurveyor(options), repos: repoSurveyor(options), handles: { survey: surveyHandles } };
}
