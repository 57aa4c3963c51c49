/** The reason for a run's status in whole sentences: items store only the beginning; the list of errors has the rest. Pure. */
import type { RunError } from "@firehose-backfill/checkpoint/notes";
import type { Run } from "@firehose-backfill/checkpoint/run";

/**
 * The run item stores the beginning of a reason, and only the kind of a wait; the complete text is in the error that
 * was stored with it.
 */
export function reasonOf(run: Run, errors: readonly RunError[]): string | null {
  const { waiting } = run;
  const ofConsumers = errors.filter(({ source }) => source === "consumer").toReversed();
  if (run.reason !== null) {
    const beginning = uncut(run.reason);
    return ofConsumers.find(({ message }) => message.startsWith(beginning))?.message ?? run.reason;
  }
  if (waiting === null) return null;
  const latest = ofConsumers.find(({ atMs }) => atMs >= waiting.sinceMs)?.message ?? waiting.for;
  return latest.startsWith(uncut(waiting.for)) ? `waiting: ${latest}` : `waiting: ${waiting.for}: ${latest}`;
}

/** Without the ellipsis that the store adds where it cuts. */
function uncut(text: string): string {
  return text.endsWith("…") ? text.slice(0, -1) : text;
}
