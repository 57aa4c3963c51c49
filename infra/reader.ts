/** The reader and the schedule that calls it once a minute. */
import { functionMemoryMb } from "../packages/core/src/cost/function-memory.ts";
import { createFunction } from "./function.ts";
import { READER_TIMEOUT_SECONDS } from "./limits.ts";
import { permissionsOf, type Resources } from "./permissions.ts";
import { createSchedule } from "./schedule.ts";
import type { DeploySettings } from "./settings.ts";

export interface ReaderOptions {
  readonly settings: DeploySettings;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
}

/** The event for the reader; EventBridge replaces the placeholder with the planned minute. */
const TICK_EVENT = { action: "tick", scheduledAt: "<aws.scheduler.scheduled-time>" };

export function createReader(options: ReaderOptions): sst.aws.Function {
  const { settings } = options;
  const reader = createFunction({
    name: "Reader",
    role: "reader",
    description: "Reads one window of the firehose, packs it and sends it to the queue. Invoked once a minute.",
    memoryMb: functionMemoryMb(settings.config.settings.maxMemoryMb),
    timeoutSeconds: READER_TIMEOUT_SECONDS,
    settings,
    environment: options.environment,
    permissions: permissionsOf("reader", options.resources),
    // The lease alone is enough; the reservation only avoids starting a second tick that would find the lease taken.
    reservedConcurrency: settings.config.settings.reserveConcurrency ? 1 : undefined,
  });

  createSchedule("ReaderSchedule", {
    arn: reader.arn,
    schedule: "rate(1 minute)",
    event: TICK_EVENT,
  });
  return reader;
}
