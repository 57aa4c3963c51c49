/** The history of a run for deployments in which no process lives as long as the run: every tick adds its values to an item of the run. */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import { addSnapshot, emptyHistory, type History, parseHistory } from "./history.ts";
import type { Snapshot } from "./snapshot.ts";

/** Writes only what is new: the longer the run is, the further apart its points are. */
export async function recordHistory(
  store: Pick<NoteStore, "getHistory" | "putHistory">,
  snapshot: Snapshot,
): Promise<void> {
  if (snapshot.runId === null) return;
  const before = (await loadHistory(store, snapshot.runId)) ?? emptyHistory(snapshot.runId);
  const after = addSnapshot(before, snapshot);
  if (after.points === before.points && after.marks === before.marks) return;
  await store.putHistory(snapshot.runId, JSON.stringify(after));
}

/** null: there is none, or it cannot be read. It is only for people, so this is not an error. */
export async function loadHistory(store: Pick<NoteStore, "getHistory">, runId: string): Promise<History | null> {
  const text = await store.getHistory(runId);
  try {
    return text === null ? null : parseHistory(JSON.parse(text));
  } catch {
    return null;
  }
}
