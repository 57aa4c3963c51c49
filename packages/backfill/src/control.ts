/**
 * Steering a run: each action is one conditional change of the run item, so that two operators at once cannot leave it
 * half changed. A refusal says why, and what would be accepted. The caller renders the answer.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Config } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import { type RunStatus, sourcesOf } from "@firehose-backfill/core/run-state";
import { refuseOtherDatabase } from "./bound-database.ts";
import { clamp, clampConfig, notesOf } from "./clamp.ts";
import type { ControlAnswer, ControlDeps } from "./control-deps.ts";
import type { ControlEvent, StartRequest } from "./control-event.ts";
import { createRuns } from "./create-runs.ts";
import { describeRun } from "./describe-run.ts";
import { newRun, newRunId } from "./new-run.ts";
import { mustBeOpen, openRun } from "./open-run.ts";
import { summarizePlan } from "./plan/summary.ts";
import { parseEndPoint, parseStartPoint } from "./parse-range.ts";
import { redriveAndSay } from "./redrive-answer.ts";
import { configsOf } from "./repos-run.ts";
import { startConfig } from "./start-config.ts";
import { tuneRun } from "./tune-run.ts";
import { needsNewStart } from "@firehose-backfill/source/verdict";

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
      return tuneRun(deps, event.settings);
    case "redrive":
      return redriveAndSay(deps);
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
  const runs = configsOf(config).map((each) =>
    newRun(clampConfig(deps.limits, each), {
      runId: newRunId(nowMs, deps.random),
      nowMs,
      deployment: deploymentOf(deps, request),
      ...(request.from === undefined ? {} : { start: parseStartPoint(request.from) }),
      ...(request.to === undefined ? {} : { end: parseEndPoint(request.to) }),
    }),
  );
  const open = await openRun(deps);
  const notes = notesOf(clamp(deps.limits, config.settings).clamped);
  if (request.isDryRun) {
    const described = runs.map(describeRun).join("; and another one ");
    return { message: `would start a run ${described}; nothing was changed${notes}`, run: open };
  }
  if (open !== null) {
    if (!request.isNew)
      throw new UsageError(
        `run ${open.runId} is ${open.status}: one run at a time. Cancel it first, or start with --new (which cancels it)`,
      );
    await cancelNow(deps, open);
  }
  const database = await deps.database?.();
  const { run, note } = await createRuns(
    deps,
    runs.map((each) => (database === undefined ? each : { ...each, database })),
  );
  return { message: `run ${run.runId} is ${run.status}${note}${notes}`, run };
}

/** Without what this start asks for; but with its source, because without one the deployment may have nothing to read. */
function deploymentOf(deps: ControlDeps, { source }: StartRequest): Config {
  if (source === undefined) return deps.configure({});
  const config = deps.configure({ BACKFILL_SOURCE: source });
  return { ...config, sources: { ...config.sources, source: "default" } };
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

const DONE = { pause: "paused", resume: "resumed", cancel: "cancelled" } as const;

function refused(run: Run, action: keyof typeof DONE, from: readonly RunStatus[]): UsageError {
  const allowed = from.join(", ").replace(/, (\w+)$/, " or $1");
  return new UsageError(
    `Cannot ${action}: run ${run.runId} is ${run.status}; only ${allowed} runs can be ${DONE[action]}`,
  );
}
