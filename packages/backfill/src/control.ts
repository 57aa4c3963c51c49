/**
 * Steering a run: each action is one conditional change of the run item, so that two operators at once cannot leave it
 * half changed. A refusal says why, and what would be accepted. The caller renders the answer.
 */
import type { LedgerStore } from "@firehose-backfill/checkpoint/ledger-store";
import type { PaceStore } from "@firehose-backfill/checkpoint/pace-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import { isDeepStrictEqual } from "node:util";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import { settingName } from "@firehose-backfill/core/config/definitions";
import { parseTune, type Tune } from "@firehose-backfill/core/config/tune";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, UsageError } from "@firehose-backfill/core/errors";
import { type RunStatus, sourcesOf } from "@firehose-backfill/core/run-state";
import { refuseOtherDatabase } from "./bound-database.ts";
import { clamp, clampConfig } from "./clamp.ts";
import type { ControlEvent, StartRequest } from "./control-event.ts";
import type { DeployedLimits } from "./deps.ts";
import { describeRun } from "./describe-run.ts";
import { newRun, newRunId, throttleChanges } from "./new-run.ts";
import { tunedOwn } from "./off-peak.ts";
import type { Plan } from "./plan/types.ts";
import { summarizePlan } from "./plan/summary.ts";
import { parseEndPoint, parseStartPoint } from "./parse-range.ts";
import { redriveDead, type RedriveDeps } from "./redrive.ts";
import { startConfig, type StartConfigDeps } from "./start-config.ts";
import { wakePlanned } from "./wake-planned.ts";
import { needsNewStart } from "@firehose-backfill/source/verdict";

export interface ControlDeps extends RedriveDeps, StartConfigDeps {
  readonly store: RunStore & PaceStore & WindowStore & LedgerStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** null: nothing is fixed (local). */
  readonly limits: DeployedLimits | null;
  /** The reader runs in this process and plans void batches again at once. Otherwise the next tick does it. */
  readonly readsAtOnce?: boolean;
  /** Why a limit of memory would make the run stand still; left out where another process is meant by it. */
  readonly limitProblem?: (limitMb: number) => string | null;
  /** Where events are applied: a new run is bound to it, and a run of another one is not resumed. Left out: not known here. */
  readonly database?: () => Promise<DatabaseIdentity>;
  /** Looks at the relay; left out where it cannot be reached. */
  readonly plan?: (config: Config, request: StartRequest) => Promise<Plan>;
}

export interface ControlAnswer {
  /** One sentence for the operator. */
  readonly message: string;
  readonly run: Run | null;
  /** Of a `plan`: all of what the message sums up. */
  readonly plan?: Plan;
}

const MAX_TUNE_ATTEMPTS = 5;

/** @throws UsageError, ConfigError: the event is refused, nothing has changed. */
export async function control(deps: ControlDeps, event: ControlEvent): Promise<ControlAnswer> {
  switch (event.action) {
    case "start":
      return start(deps, event.start);
    case "status": {
      const run = await deps.store.currentRun();
      return { message: run === null ? "no run" : `run ${run.runId} is ${run.status}`, run };
    }
    case "pause":
      return pause(deps, event.isNow);
    case "resume":
      return resume(deps, event.from);
    case "cancel":
      return cancel(deps);
    case "tune":
      return tune(deps, event.settings);
    case "redrive":
      return redrive(deps);
    case "plan":
      return plan(deps, event.start);
    default: {
      const unreachable: never = event;
      return unreachable;
    }
  }
}

async function plan(deps: ControlDeps, request: StartRequest): Promise<ControlAnswer> {
  if (deps.plan === undefined)
    throw new UsageError(
      "Cannot plan: this program has no access to the relay; ask the control function or the local process",
    );
  const made = await deps.plan(clampConfig(deps.limits, startConfig(deps, request)), request);
  return { message: summarizePlan(made), run: await openRun(deps), plan: made };
}

async function start(deps: ControlDeps, request: StartRequest): Promise<ControlAnswer> {
  const config = startConfig(deps, request);
  if (config.settings.days === 0 && request.from === undefined)
    throw new UsageError("Cannot start: BACKFILL_DAYS is 0, which means do not run");
  const nowMs = deps.clock.now();
  const run = newRun(clampConfig(deps.limits, config), {
    runId: newRunId(nowMs, deps.random),
    nowMs,
    deployment: deps.configure({}),
    ...(request.from === undefined ? {} : { start: parseStartPoint(request.from) }),
    ...(request.to === undefined ? {} : { end: parseEndPoint(request.to) }),
  });
  const open = await openRun(deps);
  const notes = notesOf(clamp(deps.limits, config.settings).clamped);
  if (request.isDryRun)
    return { message: `would start a run ${describeRun(run)}; nothing was changed${notes}`, run: open };
  if (open !== null) {
    if (!request.isNew)
      throw new UsageError(
        `run ${open.runId} is ${open.status}: one run at a time. Cancel it first, or start with --new (which cancels it)`,
      );
    await cancelNow(deps, open);
  }
  const database = await deps.database?.();
  const created = await deps.store.createRun(database === undefined ? run : { ...run, database });
  return { message: `run ${created.runId} is ${created.status}${notes}`, run: created };
}

function notesOf(clamped: readonly string[]): string {
  return clamped.map((note) => `; ${note}`).join("");
}

async function pause(deps: ControlDeps, isNow: boolean): Promise<ControlAnswer> {
  const run = await mustBeOpen(deps, "pause");
  const to: RunStatus = isNow ? "paused" : "pausing";
  const from =
    run.status === "pausing" && isNow ? (["pausing"] as const) : sourcesOf(to).filter((status) => status !== "pausing");
  const after = await deps.store.transition(run.runId, from, to, {
    reason: "paused by the operator",
    ...(isNow ? { pausedNow: true, pausedSinceMs: deps.clock.now() } : {}),
  });
  if (after === null) throw refused(run, "pause", from);
  const message = isNow
    ? `run ${run.runId} is paused: batches in the queue are not applied; resume reads their events again`
    : `run ${run.runId} is pausing: it reads no more, and applies the batches that are in the queue`;
  return { message, run: after };
}

async function resume(deps: ControlDeps, from: string | null): Promise<ControlAnswer> {
  const run = await mustBeOpen(deps, "resume");
  const sources: readonly RunStatus[] = sourcesOf("running").filter((status) => status !== "enqueued");
  if (!sources.includes(run.status)) throw refused(run, "resume", sources);
  if (from === null && needsNewStart(run.reason))
    throw new UsageError(`${run.reason}: choose where to go on with --from oldest, live, a sequence number or a time`);
  const database = await deps.database?.();
  if (database !== undefined) refuseOtherDatabase(run, database);
  const nowMs = deps.clock.now();
  if (from !== null || run.pausedNow) {
    const renewed = await deps.store.newGeneration(run.runId, {
      generationBefore: run.generation,
      cursor: from === null ? run.appliedCursor : null,
      ...(from === null ? {} : { start: parseStartPoint(from) }),
      nowMs,
    });
    if (renewed === null)
      throw new UsageError(
        `run ${run.runId} was changed by another command at the same time: look at its status and try again`,
      );
  }
  const pausedFor = run.pausedSinceMs === null ? 0 : nowMs - run.pausedSinceMs;
  const after = await deps.store.transition(run.runId, [run.status], "running", {
    reason: null,
    pausedNow: false,
    pausedMs: run.pausedMs + pausedFor,
    pausedSinceMs: null,
  });
  if (after === null) throw refused(run, "resume", sources);
  return { message: `run ${run.runId} continues`, run: after };
}

async function cancel(deps: ControlDeps): Promise<ControlAnswer> {
  const run = await mustBeOpen(deps, "cancel");
  const from = sourcesOf("cancelling");
  const after = await deps.store.transition(run.runId, from, "cancelling", { reason: "cancelled by the operator" });
  if (after === null) throw refused(run, "cancel", from);
  return { message: `run ${run.runId} is cancelling`, run: after };
}

/** Both steps at once, because the reader that would do the second one may not be running. */
async function cancelNow(deps: ControlDeps, run: Run): Promise<void> {
  const reason = "cancelled by start --new";
  await deps.store.transition(run.runId, sourcesOf("cancelling"), "cancelling", { reason });
  const cancelled = await deps.store.transition(run.runId, ["cancelling"], "cancelled", {
    reason,
    finishedAtMs: deps.clock.now(),
  });
  if (cancelled === null)
    throw new UsageError(
      `run ${run.runId} was changed by another command at the same time: look at its status and try again`,
    );
}

async function tune(deps: ControlDeps, values: Readonly<Record<string, unknown>>): Promise<ControlAnswer> {
  const wanted = parseTune(values);
  for (let attempt = 1; attempt <= MAX_TUNE_ATTEMPTS; attempt += 1) {
    const answer = await tuneOnce(deps, await mustBeOpen(deps, "tune"), wanted);
    if (answer !== null) return answer;
  }
  throw new UsageError("other commands change the run at the same time: look at its status and try again");
}

/** null: somebody else has changed its pace since it was read. */
async function tuneOnce(deps: ControlDeps, run: Run, wanted: Tune): Promise<ControlAnswer | null> {
  const { throttle, clamped } = clamp(deps.limits, { ...run.throttle, ...wanted.throttle });
  // A limit that is higher than the one in force is never refused.
  const isLower = throttle.maxMemoryMb < run.throttle.maxMemoryMb;
  const problem = isLower ? (deps.limitProblem?.(throttle.maxMemoryMb) ?? null) : null;
  if (problem !== null) throw new ConfigError([problem]);
  const changes = throttleChanges(run.throttle, throttle);
  const notes = notesOf(clamped);
  // Inside the off-peak window the change is also made to the pace that comes back after the window.
  const offPeak = tunedOwn(run, wanted, throttle);
  if (Object.keys(changes).length === 0 && isDeepStrictEqual(offPeak, run.offPeak))
    return { message: `nothing to change${notes}`, run };
  const nowMs = deps.clock.now();
  const named = wanted.profile === undefined ? [] : ["profile"];
  const sources = Object.fromEntries([...Object.keys(changes), ...named].map((key) => [key, "tune" as const]));
  const after = await deps.store.tune(run.runId, {
    throttle,
    profile: wanted.profile ?? run.profile,
    sources: { ...run.sources, ...sources },
    offPeak,
    record: { atMs: nowMs, by: "tune", changes },
    nowMs,
    paceVersion: run.paceVersion,
  });
  if (after === null) return null;
  const said = Object.entries(changes).map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`);
  return { message: `run ${run.runId}: ${said.join(", ")}${notes}`, run: await wakePlanned(deps, run, after) };
}

async function redrive(deps: ControlDeps): Promise<ControlAnswer> {
  const { deadLetters, lettersLeft, deadEvents, untriable, abandoned } = await redriveDead(deps);
  const stay = [
    ...(lettersLeft === 0 ? [] : [`about ${lettersLeft} dead batches are left: redrive again`]),
    ...(untriable === 0 ? [] : [`${untriable} events stay dead, because no complete event was received`]),
    ...(abandoned === 0 ? [] : [`${abandoned} events were not tried, because their run is cancelled or not known`]),
  ];
  const message = `${deadLetters} dead letters and ${deadEvents} dead events are back in the queue; they are applied at the pace of the run`;
  return { message: [message, ...stay].join("; "), run: await deps.store.currentRun() };
}

async function openRun(deps: ControlDeps): Promise<Run | null> {
  const run = await deps.store.currentRun();
  return run === null || run.finishedAtMs !== null ? null : run;
}

async function mustBeOpen(deps: ControlDeps, action: string): Promise<Run> {
  const run = await openRun(deps);
  if (run === null) throw new UsageError(`there is no run to ${action}: start one first`);
  return run;
}

const DONE = { pause: "paused", resume: "resumed", cancel: "cancelled" } as const;

function refused(run: Run, action: keyof typeof DONE, from: readonly RunStatus[]): UsageError {
  const allowed = from.join(", ").replace(/, (\w+)$/, " or $1");
  return new UsageError(
    `Cannot ${action}: run ${run.runId} is ${run.status}; only ${allowed} runs can be ${DONE[action]}`,
  );
}
