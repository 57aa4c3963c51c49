/**
 * The output of a function: log lines as JSON, whose messages are exactly the lines of a long-lived process, and
 * metrics in the embedded format. Also the middleware around every handler.
 */
import { Logger, LogLevelThreshold } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { ConfigError, describeError, isRetryable } from "@firehose-backfill/core/errors";
import type { MiddlewareObj } from "@middy/core";
import type { Figures } from "./figures.ts";
import { stageName } from "./links.ts";
import { NAMESPACE, SERVICE } from "./metrics.ts";

export interface Observability {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For the use cases, which write plain lines. */
  readonly log: (line: string) => void;
  /** One short line, without the context of the others: there is one for each batch, and its bytes are billed. */
  readonly logFigures: (figures: Figures) => void;
  /** Writes the collected metrics. Called at the end of each invocation. */
  readonly publish: () => void;
}

/** Short, because it is in each line. */
const FIGURES_MESSAGE = "Batch";

export function createObservability(
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Observability {
  const stage = stageName();
  const logger = new Logger({ serviceName: SERVICE, persistentKeys: { stage } });
  const metrics = new Metrics({ namespace: NAMESPACE, serviceName: SERVICE, defaultDimensions: { stage }, logger });
  return {
    logger,
    metrics,
    log: (line) => logger.info(line),
    logFigures: (figures) => {
      const line = { level: "INFO", message: FIGURES_MESSAGE, timestamp: new Date().toISOString(), ...figures };
      if (logger.level <= LogLevelThreshold.INFO) write(`${JSON.stringify(line)}\n`);
    },
    publish: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

/** Logs an error with its own description and throws it again: Lambda counts it, and alarms see it. */
export function observed(observability: () => Observability): MiddlewareObj<unknown, unknown> {
  return {
    before: ({ context }) => observability().logger.addContext(context),
    after: () => observability().publish(),
    onError: ({ error }) => {
      const { logger, publish } = observability();
      logger.error(describeError(error), {
        // Middlewares get whatever was thrown.
        error: error ?? new Error("nothing was thrown"),
        isRetryable: isRetryable(error),
        ...(error instanceof ConfigError ? { problems: error.problems } : {}),
      });
      publish();
    },
  };
}
