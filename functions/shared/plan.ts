/** `plan` on AWS: the same look at the relay as anywhere, and done before control's own time is over. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { makePlan } from "@firehose-backfill/backfill/plan/plan";
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import { VERSION } from "@firehose-backfill/core/version";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { SurveyError } from "@firehose-backfill/source/survey";
import { openSurveyors } from "./open-sources.ts";

/** Control has 60 s; what is left is for its answer. */
const LONGEST_MS = 50_000;

export function planner(options: {
  readonly clock: Clock;
  readonly random: () => number;
}): (config: Config, request: StartRequest) => Promise<Plan> {
  return async (config, request) => {
    const agent = userAgent({ version: VERSION, contact: config.settings.contact });
    const { plcUrl, hostRate } = config.settings;
    const hosts = { resolveName: systemNames, plcUrl, hostRate };
    const sources = openSurveyors({ ...options, ...hosts, userAgent: agent, sampleRelayUrl: null });
    const signal = AbortSignal.timeout(LONGEST_MS);
    try {
      return await makePlan({ clock: options.clock, sources }, { config, request }, signal);
    } catch (error) {
      if (config.settings.vpcSubnets.length > 0)
        throw new SurveyError(
          `the control function is in a VPC, and cannot reach the relay from there without a NAT (${describeError(error)}); run plan on your own machine`,
          { cause: error },
        );
      if (!signal.aborted) throw error;
      throw new SurveyError(
        "the relay is too slow to be sampled within the control function's minute; run plan on your own machine",
        {
          cause: error,
        },
      );
    }
  };
}
