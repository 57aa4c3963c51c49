/** The action `start`: begins the runs of a configuration; with `--new` it cancels the one that they replace. */
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import { isSideRun, type NewRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { Config } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import { sourcesOf } from "@firehose-backfill/core/run-state";
import type { RunSource } from "@firehose-backfill/source/kit";
import { clamp, clampConfig, notesOf } from "./clamp.ts";
import type { ControlAnswer, ControlDeps } from "./control-deps.ts";
import type { StartRequest } from "./control-event.ts";
import { startRuns, whyNotNow } from "./create-runs.ts";
import { describeRun } from "./describe-run.ts";
import { newRun, newRunId } from "./new-run.ts";
import { chooseRun, ChooseRunError, labelOf, listRuns } from "./open-run.ts";
import { parseEndPoint, parseStartPoint } from "./parse-range.ts";
import { recordAction } from "./record-action.ts";
import { configsOf } from "./repos-run.ts";
import { startConfig } from "./start-config.ts";
import { tuneAsStarted } from "./tune-run.ts";

/** @throws UsageError, ConfigError: nothing has changed */
export async function start(deps: ControlDeps, request: StartRequest, by: Actor): Promise<ControlAnswer> {
  const config = startConfig(deps, request);
  if (config.settings.days === 0 && request.from === undefined)
    throw new UsageError("Cannot start: BACKFILL_DAYS is 0, which means do not run");
  const nowMs = deps.clock.now();
  const [run, ...others] = configsOf(config).map((each, index) =>
    newRun(clampConfig(deps.limits, each), {
      runId: newRunId(nowMs, deps.random),
      nowMs,
      deployment: deploymentOf(deps, request),
      ...(request.from === undefined ? {} : { start: parseStartPoint(request.from) }),
      ...(request.to === undefined ? {} : { end: parseEndPoint(request.to) }),
      ...(request.name === undefined
        ? {}
        : { name: index === 0 ? request.name : `${request.name}-${each.settings.source}` }),
    }),
  );
  if (run === undefined) throw new Error("a start without a run");
  const open = await deps.store.openRuns();
  const notes = notesOf(clamp(deps.limits, config.settings).clamped);
  const replaced = request.isNew ? await runToReplace(deps, open, { request, source: run.source }) : null;
  if (request.isDryRun) {
    const message = `${await wouldDo(deps, [run, ...others], replaced)}; nothing was changed${notes}`;
    return { message, run: open.at(-1) ?? null };
  }
  if (replaced !== null) {
    await cancelNow(deps, replaced);
    await recordAction(deps, replaced.runId, { what: "cancel", by, detail: "by start --new" });
  }
  const database = await deps.database?.();
  const bound = (each: NewRun): NewRun => (database === undefined ? each : { ...each, database });
  const { created, also } = await startRuns(deps, bound(run), others.map(bound));
  const tuned = await tuneAsStarted(deps, created, config, by);
  const beside = open.length - (replaced === null ? 0 : 1);
  const joined =
    beside === 0
      ? ""
      : `; it shares the pace of the database with ${beside === 1 ? "one other run" : `${beside} other runs`}`;
  return {
    message: `${labelOf(created)} is ${created.status}${joined}${also.note}${notes}`,
    run: tuned,
    about: [created, ...also.runs].map(({ runId }) => runId),
  };
}

async function wouldDo(deps: ControlDeps, runs: readonly NewRun[], replaced: Run | null): Promise<string> {
  const [first] = runs;
  const refusal = first === undefined ? null : await whyNotNow(deps, first, replaced);
  // Where the first one is open, the start may still begin the others.
  if (refusal !== null && runs.length === 1) return `would be refused: ${refusal}`;
  const described = runs.map(describeRun).join("; and another one ");
  if (refusal !== null)
    return `would start those of these runs that are not open: ${described}. Of the first one: ${refusal}`;
  return `would ${replaced === null ? "" : `cancel ${labelOf(replaced)}, which is ${replaced.status}, and `}start a run ${described}`;
}

/** Without what this start asks for; but with its source, because without one the deployment may have nothing to read. */
function deploymentOf(deps: ControlDeps, { source }: StartRequest): Config {
  if (source === undefined) return deps.configure({});
  const config = deps.configure({ BACKFILL_SOURCE: source });
  return { ...config, sources: { ...config.sources, source: "default" } };
}

/** The run that `--new` cancels: the only one that is open, or of several the only one on the same source. null: none is open there. */
async function runToReplace(
  deps: ControlDeps,
  open: readonly Run[],
  { request, source }: { readonly request: StartRequest; readonly source: RunSource },
): Promise<Run | null> {
  if (request.run !== undefined) return chooseRun(deps, "cancel", request.run);
  const isSame = (run: Run) => run.source.kind === source.kind && run.source.host === source.host;
  // A run of handles goes on beside any other one, and a resync beside all.
  const own = open.filter((run) => (source.kind === "handles" ? isSame(run) : !isSideRun(run)));
  const [first, ...more] = own.length === 1 ? own : own.filter(isSame);
  if (first === undefined) return null;
  if (more.length === 0) return first;
  throw new ChooseRunError(
    `${more.length + 1} runs on ${source.host} are open: say which one --new cancels with --run ID or --run NAME. Open runs:\n${listRuns([first, ...more])}`,
  );
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
