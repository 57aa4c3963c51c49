/** The function for the console's Test button and `firehose-backfill … --function NAME`: start, pause, tune and the others. */
import { createFunction } from "./function.ts";
import { CONTROL_TIMEOUT_SECONDS } from "./limits.ts";
import { networkOf } from "./network.ts";
import { permissionsOf, type Resources } from "./permissions.ts";
import type { DeploySettings } from "./settings.ts";

const MEMORY_MB = 512;

export interface ControlOptions {
  readonly settings: DeploySettings;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly databaseUrl: sst.Secret;
}

export function createControl(options: ControlOptions): sst.aws.Function {
  return createFunction({
    name: "Control",
    role: "control",
    description: 'Controls a run. Try the test events, or send { "action": "status" }.',
    memoryMb: MEMORY_MB,
    timeoutSeconds: CONTROL_TIMEOUT_SECONDS,
    settings: options.settings,
    environment: options.environment,
    permissions: permissionsOf("control", options.resources),
    link: [options.databaseUrl],
    network: networkOf(options.settings.config.settings),
  });
}
