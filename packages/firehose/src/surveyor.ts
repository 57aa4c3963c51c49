/** The part of the kit of a relay that only surveys. It is apart, so that a program which only plans does not load the reader. */
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import type { SourceKit } from "@firehose-backfill/source/kit";
import { compileFilter } from "./filter.ts";
import { sampleStream } from "./sample.ts";
import { seekCursor } from "./seek.ts";
import { type SurveyDeps, surveyRelay } from "./survey.ts";

export interface RelayOptions extends Pick<SurveyDeps, "clock" | "random" | "userAgent"> {
  /** The relay of a run without a RELAY_URL. null: there is no such relay here. */
  readonly sampleRelayUrl: string | null;
}

export type SurveyorOptions = RelayOptions & Partial<Pick<SurveyDeps, "seekCursor" | "sampleStream">>;

export function relaySurveyor(options: SurveyorOptions): Pick<SourceKit, "survey"> {
  return {
    async survey(request, signal) {
      const { scope } = request;
      const url = urlOf(scope, options.sampleRelayUrl);
      if (url === null) throw new UsageError("plan: there is no RELAY_URL to look at");
      const looking = { ...request, url, filter: compileFilter(scope), isRecording: scope.relayUrl === null };
      return surveyRelay({ seekCursor, sampleStream, ...options }, looking, signal);
    },
  };
}

/** null: there is no relay to connect to. */
export function urlOf(scope: Pick<ScopeSettings, "relayUrl">, sampleRelayUrl: string | null): string | null {
  return scope.relayUrl ?? sampleRelayUrl;
}
