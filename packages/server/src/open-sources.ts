/** The sources that the local server knows: one line for each kind of source in each of the two lists. */
import { relayKit, type RelayKitOptions } from "@firehose-backfill/firehose/kit";
import { type RelayOptions, relaySurveyor } from "@firehose-backfill/firehose/surveyor";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { ReposKitOptions } from "@firehose-backfill/repos/source/lister";
import { repoSurveyor } from "@firehose-backfill/repos/source/surveyor";
import type { SourceKit, Sources } from "@firehose-backfill/source/kit";

export function openSources(options: RelayOptions & Pick<RelayKitOptions, "resolveKey"> & ReposKitOptions): Sources {
  return { relay: relayKit(options), repos: reposKit(options) };
}

export function openSurveyors(
  options: RelayOptions & Omit<ReposKitOptions, "items">,
): Sources<Pick<SourceKit, "survey">> {
  return { relay: relaySurveyor(options), repos: repoSurveyor(options) };
}
