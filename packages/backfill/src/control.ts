/**
 * Steering a run: each action is one conditional change of the run item, so that two operators at once cannot leave it
 * half changed. A refusal says why, and what would be accepted. The caller renders the answer.
 */
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import { MAX_RESYNCS } from "@firehose-backfill/checkpoint/resync-store";
import { RESYNC_RUN, type Run } from "@firehose-backfill/checkpoint/run";
import { UsageError } from "@firehose-backfill/core/errors";
import { type RunStatus, sourcesOf } from "@firehose-backfill/core/run-state";
import { refuseOtherDatabase } from "./bound-database.ts";
import { clampConfig } from "./clamp.ts";
import type { ControlAnswer, ControlDeps } from "./control-deps.ts";
import type { ControlEvent, ResyncEvent, StartRequest } from "./control-event.ts";
import { discardAndSay } from "./discard.ts";
import { keepAudit } from "./keep-audit.ts";
import { listResyncs } from "./list-resyncs.ts";
import { chooseRun, goesOnBeside, labelOf, listRuns } from "./open-run.ts";
import { summarizePlan } from "./plan/summary.ts";
import { parseStartPoint } from "./parse-range.ts";
import { placeResyncs } from "./place-resyncs.ts";
import { redriveAndSay } from "./redrive-answer.ts";
import { recordEvent } from "./record-action.ts";
import { startConfig } from "./start-config.ts";
import { start } from "./start-run.ts";
import { tuneRun } from "./tune-run.ts";
import { needsNewStart } from "@firehose-backfill/source/verdict";

/** `by`: who sent it, for the log of the run. @throws UsageError, ConfigError: the event is refused, nothing has changed. */
export async function control(deps: ControlDeps, event: ControlEvent, by?: Actor): Promise<ControlAnswer> {
  const answer = await act(deps, event, by);
  await recordEvent(deps, event, answer, by ?? UNKNOWN);
  return answer;
}

/** Of a caller that does not say how the event came. */
const UNKNOWN: Actor = "control event";

async function act(deps: ControlDeps, event: ControlEvent, by?: Actor): Promise<ControlAnswer> {
  switch (event.action) {
    case "start":
      return start(deps, event.start, by ?? UNKNOWN);
    case "status": {
      const open = event.run === undefined ? await deps.store.openRuns() : [];
      if (open.length > 1) return { message: `${open.length} runs are open:\n${listRuns(open)}`, run: null };
      const run = event.run === undefined ? await deps.store.currentRun() : await chooseRun(deps, "show", event.run);
      return { message: run === null ? "no run" : `${labelOf(run)} is ${run.status}`, run };
    }
    case "pause":
      return pause(deps, event);
    case "resume":
      return resume(deps, event);
    case "cancel":
      return cancel(deps, event.run);
    case "tune":
      return tuneRun(deps, event, by);
    case "redrive":
      return redriveAndSay(deps, event);
    case "discard":
      return discardAndSay(deps, event.which);
    case "audited":
      await keepAudit(deps.store, event);
      return { message: "the result of the audit is kept", run: null };
    case "resync":
      return resync(deps, event.resync);
    case "resyncs": {
      const resyncs = await listResyncs(deps);
      const { requests, done } = resyncs;
      return { message: `${requests.length} requests for resyncs; ${done} were served`, run: null, resyncs };
    }
    case "plan":
      return plan(deps, event.start);
    default: {
      const unreachable: never = event;
      return unreachable;
    }
  }
}

async function resync(deps: ControlDeps, wanted: ResyncEvent): Promise<ControlAnswer> {
  const { placed, there, full, bad } = await placeResyncs(deps, wanted);
  const before = there === 0 ? "" : `, ${there} ${there === 1 ? "was" : "were"} requested already`;
  const tooMany = full === 0 ? "" : `, ${full} could not be stored because there are ${MAX_RESYNCS} requests`;
  const tooLong = bad === 0 ? "" : `, ${bad} could not be stored because the DID is too long`;
  const isAny = placed + there > 0;
  return {
    message: `${placed} ${placed === 1 ? "repository" : "repositories"} requested${before}${tooMany}${tooLong}.${isAny ? ` A run called ${RESYNC_RUN} reads them anew. A process that is running, or the deployed schedule, begins it within minutes; if there is neither, the next firehose-backfill run begins it` : " No repository is read anew because of this"}`,
    run: null,
  };
}

async function plan(deps: ControlDeps, request: StartRequest): Promise<ControlAnswer> {
  if (deps.plan === undefined)
    throw new UsageError(
      "Cannot plan: this program has no access to the relay; ask the control function or the local process",
    );
  const made = await deps.plan(clampConfig(deps.limits, startConfig(deps, request)), request);
  return { message: summarizePlan(made), run: await deps.store.currentRun({ openOnly: true }), plan: made };
}

async function pause(
  deps: ControlDeps,
  { isNow, run: wanted }: { readonly isNow: boolean; readonly run?: string },
): Promise<ControlAnswer> {
  const run = await chooseRun(deps, "pause", wanted);
  const to: RunStatus = isNow ? "paused" : "pausing";
  const from =
    run.status === "pausing" && isNow ? (["pausing"] as const) : sourcesOf(to).filter((status) => status !== "pausing");
  const after = await deps.store.transition(run.runId, from, to, {
    reason: "paused by the operator",
    ...(isNow ? { pausedNow: true, pausedSinceMs: deps.clock.now() } : {}),
  });
  if (after === null) throw refused(run, "pause", from);
  const message = isNow
    ? `${labelOf(run)} is paused: batches in the queue are not applied; resume reads their events again`
    : `${labelOf(run)} is pausing: it reads no more, and applies the batches that are in the queue`;
  const beside = wanted === undefined ? await goesOnBeside(deps, run, "pause") : "";
  return { message: `${message}${beside}`, run: after };
}

async function resume(
  deps: ControlDeps,
  { from, run: wanted }: { readonly from: string | null; readonly run?: string },
): Promise<ControlAnswer> {
  const run = await chooseRun(deps, "resume", wanted);
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
  return { message: `${labelOf(run)} continues`, run: after };
}

async function cancel(deps: ControlDeps, wanted: string | undefined): Promise<ControlAnswer> {
  const run = await chooseRun(deps, "cancel", wanted);
  const from = sourcesOf("cancelling");
  const after = await deps.store.transition(run.runId, from, "cancelling", { reason: "cancelled by the operator" });
  if (after === null) throw refused(run, "cancel", from);
  const beside = wanted === undefined ? await goesOnBeside(deps, run, "cancel") : "";
  return { message: `${labelOf(run)} is cancelling${beside}`, run: after };
}

const DONE = { pause: "paused", resume: "resumed", cancel: "cancelled" } as const;

function refused(run: Run, action: keyof typeof DONE, from: readonly RunStatus[]): UsageError {
  const allowed = from.join(", ").replace(/, (\w+)$/, " or $1");
  return new UsageError(
    `Cannot ${action}: ${labelOf(run)} is ${run.status}; only ${allowed} runs can be ${DONE[action]}`,
  );
}
