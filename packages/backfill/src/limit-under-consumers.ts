/**
 * A limit of memory that no consumer could keep, as they said themselves in the run's notes. It is for a control function,
 * which runs beside the consumers and cannot measure them. The consumer that holds least decides: one that holds more is
 * replaced by a clean one, which is what a lower limit is for.
 */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";

/** A tenth: what a consumer needs to work is there by the time that it reports. */
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
