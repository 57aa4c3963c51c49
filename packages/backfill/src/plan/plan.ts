/** `plan`: estimates what a start with these settings would find, how long it would take and cost, and what to change. It only reads the source. */
import type { Config } from "@firehose-backfill/core/config/settings";
import type { Clock } from "@firehose-backfill/core/clock";
import { kitFor, type SourceKit, type Sources } from "@firehose-backfill/source/kit";
import type { StartRequest } from "../control-event.ts";
import { newRun } from "../new-run.ts";
import { parseEndPoint, parseStartPoint } from "../parse-range.ts";
import { configsOf } from "../repos-run.ts";
import { auditAdvice } from "./advice.ts";
import { estimatePlan } from "./estimate.ts";
import type { Plan } from "./types.ts";

export interface PlanDeps {
  readonly clock: Pick<Clock, "now">;
  readonly sources: Sources<Pick<SourceKit, "survey">>;
}

/** @throws UsageError; SurveyError if the source cannot be read */
export async function makePlan(
  deps: PlanDeps,
  options: { readonly config: Config; readonly request: Pick<StartRequest, "from" | "to"> },
  signal: AbortSignal,
): Promise<Plan> {
  const { request } = options;
  const { settings } = options.config;
  const [first, beside] = await Promise.all(
    plannedOf(options.config).map((config) => planOne(deps, { config, request }, signal)),
  );
  if (first === undefined) throw new Error("a plan without a run");
  const plan = { ...first, advice: [...first.advice, ...auditAdvice(settings.auditSample)] };
  return beside === undefined ? plan : { ...plan, beside };
}

/** Handles beside another run: each account takes one event more, and nobody knows yet how many accounts come. */
function plannedOf(config: Config): readonly Config[] {
  return configsOf({ ...config, settings: { ...config.settings, handles: false } });
}

async function planOne(
  deps: PlanDeps,
  { config, request }: { readonly config: Config; readonly request: Pick<StartRequest, "from" | "to"> },
  signal: AbortSignal,
): Promise<Plan> {
  const { source, scope, start, end } = newRun(config, {
    runId: "plan",
    nowMs: deps.clock.now(),
    ...(request.from === undefined ? {} : { start: parseStartPoint(request.from) }),
    ...(request.to === undefined ? {} : { end: parseEndPoint(request.to) }),
  });
  const survey = await kitFor(deps.sources, source.kind).survey({ scope, host: source.host, start, end }, signal);
  return estimatePlan(survey, config);
}
