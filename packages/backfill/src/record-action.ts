/** Notes who did what to a run, for the log of the run. A tune is not noted here: the pace keeps it, with what it changed. */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { Actor, RunAction } from "@firehose-backfill/checkpoint/notes";
import type { ControlAnswer } from "./control-deps.ts";
import type { ControlEvent } from "./control-event.ts";

export interface RecordDeps {
  readonly store: Pick<NoteStore, "addAction">;
  readonly clock: { now(): number };
}

/** After the action. A note that cannot be written does not make a failure of what is done. */
export async function recordAction(
  { store, clock }: RecordDeps,
  runId: string,
  action: Omit<RunAction, "atMs">,
): Promise<void> {
  try {
    await store.addAction(runId, { atMs: clock.now(), ...action });
  } catch {
    // The action is done, and its answer says so.
  }
}

/** What a control event did. Questions and dry runs do nothing. */
export async function recordEvent(
  deps: RecordDeps,
  event: ControlEvent,
  answer: ControlAnswer,
  by: Actor,
): Promise<void> {
  const { action } = event;
  if (action === "status" || action === "plan" || action === "tune" || action === "audited" || action === "resyncs")
    return;
  if (action === "start" && event.start.isDryRun) return;
  const detail = detailOf(event, answer);
  const runIds = answer.about ?? (answer.run === null ? [] : [answer.run.runId]);
  for (const runId of runIds.slice(0, MOST_RUNS)) await recordAction(deps, runId, { what: action, by, detail });
}

/** A discard may be about more. */
const MOST_RUNS = 20;

function detailOf(event: ControlEvent, { message }: ControlAnswer): string {
  if (event.action === "pause") return event.isNow ? "now, without applying what is in the queue" : "";
  if (event.action === "resume") return event.from === null ? "" : `from ${event.from}`;
  return event.action === "cancel" ? "" : message;
}
