/**
 * The sources that the functions know: one line for each kind of source in each of the two lists. The control function only
 * surveys, and it must stay small, so it does not carry the readers. The compiler refuses a kind that one list lacks.
 */
import { relayKit, type RelayKitOptions } from "@firehose-backfill/firehose/kit";
import { type RelayOptions, relaySurveyor } from "@firehose-backfill/firehose/surveyor";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { ReposKitOptions } from "@firehose-backfill/repos/source/lister";
import { repoSurveyor } from "@firehose-backfill/repos/source/surveyor";
import type { SourceKit, Sources } from "@firehose-backfill/source/kit";

type Kind = "relay" | "repos";

export function openSources(options: RelayOptions & Pick<RelayKitOptions, "resolveKey"> & ReposKitOptions): Sources {
  return { relay: relayKit(options), repos: reposKit(options) } satisfies Record<Kind, SourceKit>;
}

export function openSurveyors(
  options: RelayOptions & Omit<ReposKitOptions, "items">,
): Sources<Pick<SourceKit, "survey">> {
  return { relay: relaySurveyor(options), repos: repoSurveyor(options) } satisfies Record<
    Kind,
    Pick<SourceKit, "survey">
  >;
}
