/** The settings in force for a run: those it was started or tuned with, over the configuration of the deployment. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { settingsRecord, type SettingsRecord } from "@firehose-backfill/core/config/describe";
import type { Config, ScopeSettings } from "@firehose-backfill/core/config/settings";

/** By their names in the environment, without secrets. If `scope` is null, the run's own is not known, and the deployment's is shown. */
export function runSettings(config: Config, run: Run | null, scope: ScopeSettings | null): SettingsRecord {
  if (run === null) return withStandIns(settingsRecord(config));
  const isNamedNow = config.sources.profile !== "default" && config.settings.profile === run.profile;
  const sources = { ...config.sources, ...run.sources };
  return withStandIns(
    settingsRecord({
      settings: { ...config.settings, ...run.throttle, ...scope, profile: run.profile },
      // The same value as the default that the run began with, but now it was set explicitly.
      sources: sources.profile === "default" && isNamedNow ? { ...sources, profile: config.sources.profile } : sources,
    }),
  );
}

/** The values in use if such a setting is not given. Deployed, each of them is given. */
const STAND_INS: Readonly<Record<string, string>> = {
  RELAY_URL: "bundled sample",
  DATABASE_URL: "embedded Postgres",
  BACKFILL_QUEUE_URL: "embedded",
  BACKFILL_DLQ_URL: "embedded",
  BACKFILL_TABLE: "embedded",
};

function withStandIns(record: SettingsRecord): SettingsRecord {
  return Object.fromEntries(
    Object.entries(record).map(([name, setting]) => {
      const standIn = STAND_INS[name];
      return [name, setting.value === null && standIn !== undefined ? { ...setting, value: standIn } : setting];
    }),
  );
}
