/** Looks at repositories as a run would meet them: how many there are, and how many records, by a sample. */
import { SurveyError } from "@firehose-backfill/source/survey";
import type { SourceKit } from "@firehose-backfill/source/kit";
import type { ReposKitOptions } from "./kit.ts";

export function repoSurveyor(_options: Omit<ReposKitOptions, "items">): Pick<SourceKit, "survey"> {
  return {
    survey: () => Promise.reject(new SurveyError("repositories cannot be surveyed yet")),
  };
}
