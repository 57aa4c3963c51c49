/** The settings that hold for a run: what it was started or tuned with, over what the place is configured with. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { settingsRecord, type SettingsRecord } from "@firehose-backfill/core/config/describe";
import type { Config, ScopeSettings } from "@firehose-backfill/core/config/settings";

/** Named as in the environment, without secrets. `scope` is null where the run's own is not known: the place's is shown then. */
export function runSettings(config: Config, run: Run | null, scope: ScopeSettings | null): SettingsRecord {
  if (run === null) return settingsRecord(config);
  return settingsRecord({
    settings: { ...config.settings, ...run.throttle, ...scope, profile: run.profile },
    sources: { ...config.sources, ...run.sources },
  });
}
