/**
 * The highest progress that a process has shown of a run. `pause --now` and a faster pace give up what is in the queue, and a part of it
 * may have been applied already: the events of that part are read again, and their work is not shown as undone. Pure.
 */
import type { Snapshot } from "./snapshot.ts";

export interface ProgressMark {
  readonly runId: string;
  /** The applied cursor. If it goes back, an operator chose another position, and progress begins again. */
  readonly appliedSeq: number;
  readonly goalTo: string;
  readonly progress: number;
}

type Shown = Pick<Snapshot, "runId" | "progress" | "goal" | "cursor">;

/** null: nothing is known of the run. */
export function markOf(before: ProgressMark | null, { runId, progress, goal, cursor }: Shown): ProgressMark | null {
  if (runId === null || progress === null || goal === null) return null;
  const appliedSeq = (cursor.applied ?? cursor.start)?.seq ?? 0;
  const now = { runId, appliedSeq, goalTo: goal.to, progress };
  const isSame = before?.runId === runId && before.goalTo === goal.to && before.appliedSeq <= appliedSeq;
  return isSame ? { ...now, progress: Math.max(progress, before.progress) } : now;
}
