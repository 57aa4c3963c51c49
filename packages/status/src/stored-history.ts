/** The history of a run for deployments in which no process lives as long as the run: every tick adds its values to an item of the run. */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import { addSnapshot, emptyHistory, type History, type HistoryPoint, parseHistory } from "./history.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Writes only when there is a new point of the whole run or of its last day, or a mark: the longer the run is, the further apart its
 * points are. A point of the last hour alone is not worth a write.
 */
export async function recordHistory(
  store: Pick<NoteStore, "getHistory" | "putHistory">,
  snapshot: Snapshot,
): Promise<void> {
  if (snapshot.runId === null) return;
  const before = (await loadHistory(store, snapshot.runId)) ?? emptyHistory(snapshot.runId);
  const after = addSnapshot(before, snapshot);
  if (after.points === before.points && after.day === before.day && after.marks === before.marks) return;
  await store.putHistory(snapshot.runId, JSON.stringify({ ...after, ...packed(after) }));
}

const LISTS = ["points", "hour", "day"] as const;
type List = (typeof LISTS)[number];
type PackedPoint = readonly [number, ...(number | null)[]];

/** Points without the names of their fields: a third of the size, and a write to the table costs by size. */
function packed(history: History): Readonly<Record<List, readonly PackedPoint[]>> {
  const pack = (points: readonly HistoryPoint[]): readonly PackedPoint[] =>
    points.map((point) => [
      point.atMs,
      point.ratePerSecond,
      point.allowedRatePerSecond,
      point.memoryMb,
      point.lagSeconds,
      point.depth,
    ]);
  return { points: pack(history.points), hour: pack(history.hour), day: pack(history.day) };
}

/** As it was before packing; points of an older version are not packed. */
function unpacked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const lists = LISTS.flatMap((name) => {
    const list: unknown = Reflect.get(value, name);
    return Array.isArray(list) ? [[name, list.map(unpackedPoint)] as const] : [];
  });
  return { ...value, ...Object.fromEntries(lists) };
}

function unpackedPoint(point: unknown): unknown {
  if (!Array.isArray(point)) return point;
  const [atMs, ratePerSecond, allowedRatePerSecond, memoryMb, lagSeconds, depth]: readonly unknown[] = point;
  return { atMs, ratePerSecond, allowedRatePerSecond, memoryMb, lagSeconds, depth };
}

/** null: there is none, or it cannot be read. It is only for people, so this is not an error. */
export async function loadHistory(store: Pick<NoteStore, "getHistory">, runId: string): Promise<History | null> {
  const text = await store.getHistory(runId);
  try {
    return text === null ? null : parseHistory(unpacked(JSON.parse(text)));
  } catch {
    return null;
  }
}
