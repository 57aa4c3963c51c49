/** The function for the console's Test button and `firehose-backfill … --function NAME`: start, pause, tune and the others. */
import { createFunction } from "./function.ts";
import { CONTROL_TIMEOUT_SECONDS } from "./limits.ts";
import { networkOf } from "./network.ts";
import { permissionsOf, type Resources } from "./permissions.ts";
import { createSchedule } from "./schedule.ts";
import type { DeploySettings } from "./settings.ts";

const MEMORY_MB = 512;

export interface ControlOptions {
  readonly settings: DeploySettings;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly databaseUrl: sst.Secret;
}

/** The event for a scheduled audit. Between two of them each has its whole time. */
const AUDIT_EVENT = { action: "audit" };
const AUDIT_EVERY_MINUTES = 5;

export function createControl(options: ControlOptions): sst.aws.Function {
  const control = createFunction({
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
  if (options.settings.config.settings.auditSample > 0) {
    createSchedule("AuditSchedule", {
      arn: control.arn,
      schedule: `rate(${AUDIT_EVERY_MINUTES} minutes)`,
      event: AUDIT_EVENT,
    });
  }
  return control;
}
