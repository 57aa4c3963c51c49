/** `plan`: what a start with these settings would meet, take and cost, and what to change. Reads the relay alone. */
import { hostKey } from "@firehose-backfill/core/config/host-key";
import type { Config } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import type { StartRequest } from "../control-event.ts";
import { newRun } from "../new-run.ts";
import { parseEndPoint, parseStartPoint } from "../points.ts";
import { estimatePlan } from "./estimate.ts";
import { type SurveyDeps, surveyRelay } from "./survey.ts";
import type { Plan } from "./types.ts";

export interface PlanDeps extends SurveyDeps {
  /** The relay to look at when there is no RELAY_URL; null when deployed. */
  readonly sampleRelayUrl: string | null;
}

/** @throws UsageError; SurveyError when the relay cannot be asked */
export async function makePlan(
  deps: PlanDeps,
  options: { readonly config: Config; readonly request: Pick<StartRequest, "from" | "to"> },
  signal: AbortSignal,
): Promise<Plan> {
  const { config, request } = options;
  const { settings } = config;
  const url = settings.relayUrl ?? deps.sampleRelayUrl;
  if (url === null) throw new UsageError("plan: RELAY_URL is not set, so there is no relay to sample");
  const nowMs = deps.clock.now();
  const { start, end } = newRun(config, {
    runId: "plan",
    nowMs,
    ...(request.from === undefined ? {} : { start: parseStartPoint(request.from) }),
    ...(request.to === undefined ? {} : { end: parseEndPoint(request.to) }),
  });
  const survey = await surveyRelay(
    deps,
    {
      url,
      host: hostKey(settings.relayUrl),
      filter: compileFilter(settings),
      start,
      end,
      isRecording: settings.relayUrl === null,
    },
    signal,
  );
  return estimatePlan(survey, config);
}
