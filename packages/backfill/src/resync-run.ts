/** The run that reads repositories anew: which, with which filters, and at which pace. Pure, but for the id. */
import type { NewRun, Run } from "@firehose-backfill/checkpoint/run";
import { RESYNC_RUN } from "@firehose-backfill/checkpoint/run";
import { pick, SCOPE_KEYS, THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import type { Config, ScopeSettings } from "@firehose-backfill/core/config/settings";
import { givenSettings } from "./given-settings.ts";
import { newRunId } from "./new-run.ts";
import { ownThrottle } from "./off-peak.ts";
import { runSourceOf } from "./repos-run.ts";

export interface ResyncWork {
  readonly dids: readonly string[];
  /** Whose filters hold, and which level of verification. */
  readonly scope: ScopeSettings;
  /** A run of the same database: the pace is its pace. null: the deployment's. */
  readonly last: Run | null;
  readonly config: Config;
  readonly nowMs: number;
  readonly random: () => number;
}

/** Where no other run is open, a pace begins anew: then it is as that of the last run was. */
export function ofResync({ dids, scope, last, config, nowMs, random }: ResyncWork): NewRun {
  const wanted: ScopeSettings = { ...pick(scope, SCOPE_KEYS), source: "repos", days: -1, dids };
  const own =
    last === null
      ? { throttle: pick(config.settings, THROTTLE_KEYS), profile: config.settings.profile }
      : ownThrottle(last);
  const sources = last === null ? config.sources : { ...last.sources, ...last.offPeak?.ownSources };
  return {
    runId: newRunId(nowMs, random),
    name: RESYNC_RUN,
    // Two processes that begin one at the same moment: the second is refused.
    about: RESYNC_RUN,
    source: runSourceOf({ ...wanted, source: "repos" }),
    ...(last === null || last.database === null ? {} : { database: last.database }),
    ...own,
    scope: wanted,
    sources: {
      ...pick(sources, ["profile", ...THROTTLE_KEYS]),
      ...Object.fromEntries(SCOPE_KEYS.map((key) => [key, "run"])),
    },
    seen: last?.seen ?? givenSettings(config),
    start: { kind: "oldest" },
    end: { kind: "caught-up" },
    createdAtMs: nowMs,
  };
}
