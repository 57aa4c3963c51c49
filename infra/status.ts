/**
 * The status page. Its URL accepts only signed requests of this account, and no script of another site; SST's
 * defaults would make it public. A browser cannot sign, but `firehose-backfill page --function NAME` does.
 */
import { createFunction } from "./function.ts";
import { STATUS_TIMEOUT_SECONDS } from "./limits.ts";
import { permissionsOf, type Resources } from "./permissions.ts";
import type { DeploySettings } from "./settings.ts";

const MEMORY_MB = 512;

export interface StatusOptions {
  readonly settings: DeploySettings;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
}

export function createStatus(options: StatusOptions): sst.aws.Function {
  return createFunction({
    name: "Status",
    role: "status",
    description: "Shows the status of the run, as a page, text or JSON. Read-only.",
    memoryMb: MEMORY_MB,
    timeoutSeconds: STATUS_TIMEOUT_SECONDS,
    settings: options.settings,
    environment: options.environment,
    permissions: permissionsOf("status", options.resources),
    url: { authorization: "iam", cors: false },
  });
}
