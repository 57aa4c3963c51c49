/** The consumer, and the event source mapping that passes it one batch at a time. */
import { functionMemoryMb } from "../packages/core/src/cost/function-memory.ts";
import { createFunction } from "./function.ts";
import { CONSUMER_TIMEOUT_SECONDS, mappingConcurrency } from "./limits.ts";
import { networkOf } from "./network.ts";
import { permissionsOf, type Resources } from "./permissions.ts";
import type { DeploySettings } from "./settings.ts";

export interface ConsumerOptions {
  readonly settings: DeploySettings;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly databaseUrl: sst.Secret;
  readonly work: sst.aws.Queue;
}

export function createConsumer(options: ConsumerOptions): sst.aws.Function {
  const { maxConcurrent, maxMemoryMb, reserveConcurrency } = options.settings.config.settings;
  const consumer = createFunction({
    name: "Consumer",
    role: "consumer",
    description: "Applies one batch to Postgres when its slot has come.",
    memoryMb: functionMemoryMb(maxMemoryMb),
    timeoutSeconds: CONSUMER_TIMEOUT_SECONDS,
    settings: options.settings,
    environment: options.environment,
    permissions: permissionsOf("consumer", options.resources),
    reservedConcurrency: reserveConcurrency ? maxConcurrent : undefined,
    link: [options.databaseUrl],
    network: networkOf(options.settings.config.settings),
  });

  options.work.subscribe(consumer.arn, {
    // One message is one batch. It is taken at once, because its delay in the queue already follows the pace.
    batch: { size: 1, partialResponses: true },
    transform: {
      eventSourceMapping: {
        maximumBatchingWindowInSeconds: 0,
        // Without it, the poller takes more messages than may run; the others are throttled, and each counts as received.
        scalingConfig: { maximumConcurrency: mappingConcurrency(maxConcurrent) },
      },
    },
  });
  return consumer;
}
