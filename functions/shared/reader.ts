/** The reader of one environment: a tick an invocation, and what is said of it. Without an open run it costs one read. */
import type { ReaderDeps } from "@firehose-backfill/backfill/deps";
import { createOutageLog } from "@firehose-backfill/backfill/outage-log";
import { configuredRuns } from "@firehose-backfill/backfill/create-runs";
import { labelOf } from "@firehose-backfill/backfill/open-run";
import { serveResyncs } from "@firehose-backfill/backfill/serve-resyncs";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import type { TurnResult } from "@firehose-backfill/backfill/turn";
import { systemClock } from "@firehose-backfill/core/clock";
import { ConfigError, describeError, UsageError } from "@firehose-backfill/core/errors";
import { VERSION } from "@firehose-backfill/core/version";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { collectSnapshot, rateMeters } from "@firehose-backfill/status/collect-snapshot";
import { createNotifier } from "@firehose-backfill/status/notifier";
import { postWebhook } from "@firehose-backfill/status/post-webhook";
import { recordHistory } from "@firehose-backfill/status/stored-history";
import { limitTooLow } from "@firehose-backfill/throttle/memory-guard";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import type { Context } from "aws-lambda";
import { type Environment, readDeployedConfig } from "./deployed-config.ts";
import { withFiguresOnce } from "./figures-once.ts";
import { rememberRun } from "./last-run.ts";
import { addMetric } from "./metrics.ts";
import type { Observability } from "./observability.ts";
import { openSources } from "./open-sources.ts";
import { deployedReaderTiming } from "./reader-timing.ts";
import { createRecycling } from "./recycling.ts";
import { tellTransitions } from "./run-notices.ts";
import { openServices } from "./services.ts";
import { tellStopsOfOthers } from "./stops-of-others.ts";
import { tellEach } from "./tell-each.ts";
import { createTickReporter } from "./tick-report.ts";
import { publishTo } from "./topic.ts";

export interface Reader {
  /** What became of it, in one sentence. @throws UsageError for an event that is not the schedule's */
  tick(event: unknown, context: Context): Promise<string>;
}

/** @throws ConfigError */
export function createReader(
  env: Environment,
  { observability, endProcess }: { readonly observability: Observability; readonly endProcess: () => never },
): Reader {
  const { logger, metrics, log } = observability;
  const clock = systemClock;
  const random = Math.random;
  const deployed = readDeployedConfig(env);
  const { config } = deployed;
  const { settings } = config;
  const tooLow = limitTooLow(settings.maxMemoryMb, process.memoryUsage.rss());
  if (tooLow !== null) throw new ConfigError([tooLow]);

  const services = openServices(deployed, { clock, random });
  const { store, current } = rememberRun(
    tellTransitions(services.store, { publish: publishTo(settings.alarmTopicArn), log }),
  );
  const memory = processMemoryGuard(clock, () => current()?.throttle.maxMemoryMb ?? settings.maxMemoryMb);
  const recycling = createRecycling(memory);
  const agent = userAgent({ version: VERSION, contact: settings.contact });
  const { plcUrl, hostRate } = settings;
  const strangers = { clock, random, userAgent: agent, resolveName: systemNames, plcUrl };
  const { resolveKey } = openDidClient(strangers);
  const sources = openSources({ ...strangers, hostRate, items: services.items, sampleRelayUrl: null, resolveKey });
  const meters = rateMeters();
  const reporter = createTickReporter(observability);
  const { notifyUrl } = settings;
  const notifier =
    notifyUrl === null
      ? null
      : createNotifier({ store, clock, post: (message) => postWebhook(notifyUrl, message), log });
  const isConsumerInVpc = settings.vpcSubnets.length > 0;
  const tellStops = tellStopsOfOthers({ publish: publishTo(isConsumerInVpc ? settings.alarmTopicArn : null), log });
  const resyncs = serveResyncs({ config, everyMs: LOOK_FOR_RESYNCS_MS });
  const outages = createOutageLog({ clock, log });
  const firstRuns = () => configuredRuns(config, { nowMs: clock.now(), random });

  return {
    async tick(event, context) {
      refuseStranger(event);
      if (recycling.isDue()) {
        logger.warn(`[BACKFILL] Memory: ${memory.usedMb()}MB / ${memory.limitMb()}MB limit: a new environment begins`);
        addMetric(metrics, "ReaderEarlyExits", 1);
        observability.publish();
        endProcess();
      }
      const queue = withFiguresOnce(services.queue);
      const deps: ReaderDeps = {
        clock,
        random,
        store,
        queue,
        sources,
        memory,
        timing: deployedReaderTiming({ remainingMs: context.getRemainingTimeInMillis() }),
        offPeak: settings.offPeak,
        limits: { maxConcurrent: settings.maxConcurrent, maxMemoryMb: settings.maxMemoryMb },
        deployed: config,
        resyncs,
        owner: context.awsRequestId,
        log,
      };
      const { runs } = await runTick(deps, { signal: new AbortController().signal, firstRuns });
      if (memory.isOverLimit()) recycling.mark();
      if (runs.length === 0) return "no run";
      const isOnly = runs.length === 1;
      const told = await tellEach(runs, { tell: (result) => tell(result, { queue, isOnly }), log });
      meters.keepOnly(runs.map(({ run }) => run.runId));
      // Those of the others are told first. Lambda counts the error, and an alarm sees it.
      const failed = runs.find(({ failure }) => failure !== undefined);
      if (failed !== undefined) throw failed.failure?.error;
      if (told.failure !== null) throw told.failure.error;
      return told.said.join("; ");
    },
  };

  async function tell(
    result: TurnResult,
    { queue, isOnly }: { readonly queue: BatchQueue; readonly isOnly: boolean },
  ): Promise<string> {
    const { run } = result;
    outages.note(result);
    await tellStops(run);
    const snapshot = await collectSnapshot({
      store,
      queue,
      items: services.items,
      clock,
      config,
      meter: meters.of(run.runId),
      runId: run.runId,
    });
    reporter.report(result, snapshot, { readerMb: memory.usedMb(), isOnly });
    await recordHistory(store, snapshot).catch((error: unknown) =>
      log(`[BACKFILL] The history of ${labelOf(run)} could not be stored: ${describeError(error)}`),
    );
    await notifier?.look(snapshot);
    return `${labelOf(run)} is ${snapshot.status}; this tick ended because of: ${result.endedBecause}`;
  }
}

/** A tick without an open run costs one read; each fifth one, and the first one of an environment, costs four more. */
const LOOK_FOR_RESYNCS_MS = 5 * 60_000;

function refuseStranger(event: unknown): void {
  const isTick = typeof event === "object" && event !== null && "action" in event && event.action === "tick";
  if (isTick) return;
  throw new UsageError(
    'the reader takes { "action": "tick" }, from its schedule; to control a run use the control function',
  );
}
