/** The database of a deployed function: its address is the linked secret, and it logs in with a password or with IAM. */
import { systemClock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { databaseUrlOf, type Environment } from "./deployed-config.ts";
import { openSink } from "./open-sink.ts";

type Limits = Omit<NonNullable<Parameters<typeof openSink>[1]>, "iam" | "signal">;

/** @throws ConfigError where the secret is not set */
export function openDeployedDatabase(env: Environment, config: Config, limits: Limits = {}): SinkKit {
  const { databaseUserArn } = config.settings;
  const iam =
    databaseUserArn === null ? undefined : { userArn: databaseUserArn, credentials, now: () => systemClock.now() };
  return openSink(databaseUrlOf(config), { ...limits, iam });

  /** Lambda's, of the function's own role. */
  function credentials() {
    return {
      accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
      sessionToken: env["AWS_SESSION_TOKEN"] ?? null,
    };
  }
}
