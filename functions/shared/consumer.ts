/**
 * The consumer of one environment: takes the records of an invocation one after the other, as long as there is time and
 * memory. What was not done stays in the queue, and nothing of it counts as an attempt.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import { type MessageResult, outcome } from "@firehose-backfill/backfill/message-result";
import type { ConsumerDeps } from "@firehose-backfill/backfill/deps";
import { guardMemory } from "@firehose-backfill/backfill/guard-memory";
import { systemClock } from "@firehose-backfill/core/clock";
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import { fromLambdaRecord } from "@firehose-backfill/queue/sqs-message";
import { createEventCounter } from "@firehose-backfill/throttle/event-counter";
import { createLatencySignal } from "@firehose-backfill/throttle/latency-signal";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import type { Context, SQSRecord } from "aws-lambda";
import { consumerId, reportNowAndThen } from "./consumer-report.ts";
import { openDeployedDatabase } from "./database.ts";
import { type Environment, readDeployedConfig } from "./deployed-config.ts";
import { createDeployedSink, DATABASE_LIMITS } from "./deployed-sink.ts";
import { rememberRun } from "./last-run.ts";
import { figuresOfBatch } from "./figures.ts";
import { addMetric } from "./metrics.ts";
import type { Observability } from "./observability.ts";
import { createRecycling } from "./recycling.ts";
import { tellTransitions } from "./run-notices.ts";
import { openServices } from "./services.ts";
import { publishTo } from "./topic.ts";

export interface Consumer {
  /** One result a record, in their order. @throws UsageError for an event that is not the queue's */
  take(event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<readonly MessageResult[]>;
}

/** Of the time that the function has when it begins: with less than that left, no batch is begun. */
const LEAST_SHARE_OF_TIME = 1 / 3;

/** @throws ConfigError */
export function createConsumer(
  env: Environment,
  { observability, endProcess }: { readonly observability: Observability; readonly endProcess: () => never },
): Consumer {
  const { logger, metrics, log } = observability;
  const clock = systemClock;
  const random = Math.random;
  const deployed = readDeployedConfig(env);
  const { settings } = deployed.config;
  const services = openServices(deployed, { clock, random });
  // In a VPC the topic is out of reach, and the reader publishes instead (stops-of-others.ts).
  const topicArn = settings.vpcSubnets.length > 0 ? null : settings.alarmTopicArn;
  const { store, current } = rememberRun(tellTransitions(services.store, { publish: publishTo(topicArn), log }));
  const memory = processMemoryGuard(clock, () => current()?.throttle.maxMemoryMb ?? settings.maxMemoryMb);
  const recycling = createRecycling(memory);
  const deps: ConsumerDeps = {
    clock,
    random,
    store,
    // The mapping deletes what is not reported as failed: one request a batch and its time are saved.
    queue: { ...services.queue, remove: () => Promise.resolve() },
    sink: createDeployedSink({
      database: openDeployedDatabase(env, deployed.config, DATABASE_LIMITS),
      throttleQuery: settings.throttleQuery,
      clock,
      random,
      log,
    }),
    memory,
    relieveMemory: async () => recycling.mark(),
    latency: createLatencySignal(),
    waitLog: { lastSaid: null },
    memoryChecks: createEventCounter(() => current()?.throttle.memoryCheckInterval ?? settings.memoryCheckInterval),
    // The queue hides a message for six times as long as this function may run.
    renewVisibility: null,
    log,
  };
  const { queue, sink } = deps;
  const logStream = env["AWS_LAMBDA_LOG_STREAM_NAME"] ?? `pid-${process.pid}`;
  const report = reportNowAndThen({ store, clock, id: consumerId(logStream) });
  const { signal } = new AbortController();

  const takeOne = async (record: SQSRecord): Promise<MessageResult> => {
    const message = fromLambdaRecord(record);
    const result = await applyMessage(deps, message, { signal });
    observability.logFigures({ ...figuresOfBatch(message, result, clock.now()), memoryRssMb: memory.usedMb() });
    return result;
  };

  /** After the batch, when it is acknowledged: none of this may undo it. */
  const afterInvocation = async (): Promise<void> => {
    const run = current();
    if (run === null) return;
    try {
      await guardMemory(deps, run, signal);
      const { used, size } = sink.pool();
      const figures = { rssMb: memory.usedMb(), limitMb: memory.limitMb(), active: 1, poolUsed: used, poolSize: size };
      await report(run.runId, figures);
    } catch (error) {
      logger.warn("[BACKFILL] Consumer: its report could not be written", { error: describeError(error) });
    }
  };

  const handBack = async (records: readonly SQSRecord[], because: string): Promise<MessageResult[]> => {
    for (const { receiptHandle } of records) await queue.hide(receiptHandle, 0);
    return records.map(() => outcome("hidden", because));
  };

  return {
    async take(event, context) {
      const records = recordsOf(event);
      if (recycling.isDue()) {
        await handBack(records, "memory");
        logger.warn(`[BACKFILL] Memory: ${memory.usedMb()}MB / ${memory.limitMb()}MB limit: a new environment begins`);
        addMetric(metrics, "EarlyExits", 1);
        observability.publish();
        endProcess();
      }
      const leastMs = context.getRemainingTimeInMillis() * LEAST_SHARE_OF_TIME;
      const results: MessageResult[] = [];
      for (const record of records) {
        const hasTime = context.getRemainingTimeInMillis() >= leastMs;
        if (!hasTime || recycling.isDue()) {
          results.push(...(await handBack(records.slice(results.length), hasTime ? "memory" : "time")));
          break;
        }
        results.push(await takeOne(record));
      }
      await afterInvocation();
      return results;
    },
  };
}

function recordsOf(event: unknown): readonly SQSRecord[] {
  if (typeof event === "object" && event !== null && "Records" in event && Array.isArray(event.Records))
    return event.Records as readonly SQSRecord[];
  throw new UsageError(
    "the consumer is invoked by its queue, with { Records: [...] }; to control a run use the control function",
  );
}
