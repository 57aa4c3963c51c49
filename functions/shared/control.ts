/** Control on AWS: understands the event, sees to the database where events will be applied, steers, and shows the run. */
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import { type ControlEvent, parseControlEvent } from "@firehose-backfill/backfill/control-event";
import { limitUnderConsumers } from "@firehose-backfill/backfill/limit-under-consumers";
import type { ListedResyncs } from "@firehose-backfill/backfill/list-resyncs";
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import { identityOf, prepareSink } from "@firehose-backfill/backfill/prepare-sink";
import { tidyUp } from "@firehose-backfill/backfill/tidy-up";
import { systemClock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { collectSnapshot } from "@firehose-backfill/status/collect-snapshot";
import type { History } from "@firehose-backfill/status/history";
import { loadHistory } from "@firehose-backfill/status/stored-history";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Context } from "aws-lambda";
import { auditTick } from "./audit-tick.ts";
import { openDeployedDatabase } from "./database.ts";
import { type Environment, readDeployedConfig } from "./deployed-config.ts";
import type { Observability } from "./observability.ts";
import { once } from "./once.ts";
import { planner } from "./plan.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { openServices } from "./services.ts";

export type ControlAnswer =
  | {
      readonly ok: true;
      readonly message: string;
      /** null: what was asked for is done, but the picture of it could not be made. */
      readonly snapshot: Snapshot | null;
      /** Of a `status` that names no run, where several are open: of each. */
      readonly snapshots?: readonly Snapshot[];
      /** Of a `plan`: all of what the message sums up. */
      readonly plan?: Plan;
      /** Of `resyncs`: all requests. */
      readonly resyncs?: ListedResyncs;
      /** Where a `status` asks for it. null: none has been kept yet. */
      readonly history?: History | null;
    }
  | Refusal;

export interface Control {
  /** An event that is refused has changed nothing. @throws errors that were not expected */
  answer(event: unknown): Promise<ControlAnswer>;
  /** For the schedule of BACKFILL_AUDIT_SAMPLE. @throws errors: the invocation fails, and the next one goes on */
  audit(context: Pick<Context, "getRemainingTimeInMillis">): Promise<{ readonly message: string }>;
}

/** What the schedule sends. */
export function isAuditEvent(event: unknown): boolean {
  return typeof event === "object" && event !== null && "action" in event && event.action === "audit";
}

/** What is wrong with the deploy itself is met at the first event, and is its answer. */
export function createControl(env: Environment, { logger }: Pick<Observability, "logger">): Control {
  const clock = systemClock;
  const random = Math.random;
  const open = once(() => {
    const deployed = readDeployedConfig(env);
    const { config, configure } = deployed;
    const { maxConcurrent, maxMemoryMb } = config.settings;
    const services = openServices(deployed, { clock, random });
    const deps = {
      ...services,
      clock,
      random,
      configure,
      // Reserved concurrency and the functions' memory are made from these two.
      limits: { maxConcurrent, maxMemoryMb },
      limitProblem: (limitMb, runId) => limitUnderConsumers(services.store, runId, limitMb),
      allowRelayFromEvent: false,
      openDeadEvents: () => openDeployedDatabase(env, config).openDeadEvents(),
      database: () => identityOf(openDeployedDatabase(env, config)),
      plan: planner({ clock, random }),
    } satisfies ControlDeps;
    return { config, deps };
  });

  const steer = async (event: unknown): Promise<ControlAnswer> => {
    const parsed = parseControlEvent(event);
    const { config, deps } = open();
    if (beginsToApply(parsed)) {
      // A database that sleeps is not woken for an event that is refused anyway.
      if (parsed.action === "start") await control(deps, { ...parsed, start: { ...parsed.start, isDryRun: true } });
      const unfinished = await deps.store.openRuns();
      // The only run that is open is about to be cancelled, and does not prevent the use of another database.
      const goesOn = parsed.action === "start" && parsed.start.isNew && unfinished.length === 1 ? [] : unfinished;
      const sink = openDeployedDatabase(env, config);
      await prepareSink(sink, { throttleQuery: config.settings.throttleQuery, goesOn });
      // A batch of an open run may hold what is older than any tombstone.
      if (parsed.action === "start" && unfinished.length === 0)
        await tidyUp({
          tidying: sink.tidying,
          deadLetters: async () => (await deps.queue.figures()).deadLetters,
          atMostMs: TIDY_AT_MOST_MS,
          clock,
          log: (line) => logger.info(line),
        });
    }
    const { message, plan, run, resyncs } = await control(deps, parsed, "control event");
    const isDrawn = parsed.action === "status" && parsed.withHistory;
    return {
      ok: true,
      message,
      snapshot: await picture(run?.runId),
      ...(parsed.action === "status" && parsed.run === undefined ? await pictures() : {}),
      ...(plan === undefined ? {} : { plan }),
      ...(resyncs === undefined ? {} : { resyncs }),
      ...(isDrawn ? { history: run === null ? null : await loadHistory(deps.store, run.runId) } : {}),
    };
  };

  /** Of each open run, where several are open. */
  const pictures = async (): Promise<{ readonly snapshots?: readonly Snapshot[] }> => {
    const runs = await open().deps.store.openRuns();
    if (runs.length < 2) return {};
    const snapshots = await Promise.all(runs.map(({ runId }) => picture(runId)));
    return { snapshots: snapshots.filter((snapshot) => snapshot !== null) };
  };

  const picture = async (runId?: string): Promise<Snapshot | null> => {
    const { config, deps } = open();
    const of = runId === undefined ? {} : { runId };
    try {
      return await collectSnapshot({ store: deps.store, queue: deps.queue, items: deps.items, clock, config, ...of });
    } catch (error) {
      logger.warn(`[BACKFILL] Control: done, but the run could not be read: ${describeError(error)}`);
      return null;
    }
  };

  return {
    async answer(event) {
      try {
        return await steer(event);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === null) throw error;
        logger.warn("[BACKFILL] Control: refused", { problems: refusal.problems });
        return refusal;
      }
    },
    async audit(context) {
      const { config, deps } = open();
      const message = await auditTick({
        settings: config.settings,
        store: deps.store,
        openDatabase: () => openDeployedDatabase(env, config),
        clock,
        random,
        remainingMs: context.getRemainingTimeInMillis(),
        log: (line) => logger.info(line),
      });
      return { message };
    },
  };
}

/** Somebody waits for the answer of their start. */
const TIDY_AT_MOST_MS = 5_000;

/** A resume or a redrive as well: after an upgrade it is the first thing that meets the database. */
function beginsToApply(event: ControlEvent): boolean {
  if (event.action === "start") return !event.start.isDryRun;
  return event.action === "resume" || event.action === "redrive";
}
