/**
 * Finds a memory limit that no consumer could keep, from their own reports in the run's notes. It is for a control function,
 * which does not run in the consumers' processes and cannot measure them. The consumer that uses least decides, because one that
 * uses more is replaced by a new one, which is the purpose of a lower limit.
 */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";

/** A tenth is enough: when a consumer reports, it has already allocated what it needs to work. */
const MARGIN_SHARE = 10;

/** null, or why this limit would keep every consumer from working, with both numbers. */
export async function limitUnderConsumers(
  store: Pick<NoteStore, "listConsumers">,
  runId: string,
  limitMb: number,
): Promise<string | null> {
  const reports = await store.listConsumers(runId);
  if (reports.length === 0) return null;
  const leastUsedMb = Math.ceil(Math.min(...reports.map(({ rssMb }) => rssMb)));
  const leastMb = leastUsedMb + Math.ceil(leastUsedMb / MARGIN_SHARE);
  if (limitMb >= leastMb) return null;
  return `BACKFILL_MAX_MEMORY_MB is ${limitMb}, but every consumer holds at least ${leastUsedMb} MB and would give up after each batch: set it to at least ${leastMb}`;
}
