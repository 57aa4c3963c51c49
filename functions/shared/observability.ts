/**
 * What a function says: log lines as JSON, with the lines of a long-lived process word for word as their message, and
 * metrics in the embedded format. And the middleware that every handler has around it.
 */
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { ConfigError, describeError, isRetryable } from "@firehose-backfill/core/errors";
import type { MiddlewareObj } from "@middy/core";
import { stageName } from "./links.ts";
import { NAMESPACE, SERVICE } from "./metrics.ts";

export interface Observability {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For the use cases, which know lines alone. */
  readonly log: (line: string) => void;
  /** Writes out what was counted. Called at the end of each invocation. */
  readonly publish: () => void;
}

export function createObservability(): Observability {
  const stage = stageName();
  const logger = new Logger({ serviceName: SERVICE, persistentKeys: { stage } });
  const metrics = new Metrics({ namespace: NAMESPACE, serviceName: SERVICE, defaultDimensions: { stage }, logger });
  return {
    logger,
    metrics,
    log: (line) => logger.info(line),
    publish: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

/** An error is logged with what it says of itself, and thrown on: Lambda counts it, alarms see it. */
export function observed(observability: () => Observability): MiddlewareObj<unknown, unknown> {
  return {
    before: ({ context }) => observability().logger.addContext(context),
    after: () => observability().publish(),
    onError: ({ error }) => {
      const { logger, publish } = observability();
      logger.error(describeError(error), {
        // Middlewares are told of whatever was thrown.
        error: error ?? new Error("nothing was thrown"),
        isRetryable: isRetryable(error),
        ...(error instanceof ConfigError ? { problems: error.problems } : {}),
      });
      publish();
    },
  };
}
