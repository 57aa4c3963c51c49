/** Parses a Snapshot from JSON; it checks enough to tell it from another service's answer. */
import { completeSnapshot } from "@firehose-backfill/status/stored-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

export function parseSnapshot(value: unknown): Snapshot | null {
  return isSnapshot(value) ? completeSnapshot(value) : null;
}

/** null: it is no list of them, or an empty one. */
export function parseSnapshots(value: unknown): readonly Snapshot[] | null {
  if (!Array.isArray(value)) return null;
  const snapshots = value.map(parseSnapshot).filter((snapshot) => snapshot !== null);
  return snapshots.length === 0 ? null : snapshots;
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== "object" || value === null) return false;
  return (
    "runId" in value &&
    "status" in value &&
    typeof value.status === "string" &&
    "received" in value &&
    typeof value.received === "number" &&
    "cursor" in value &&
    typeof value.cursor === "object" &&
    "queue" in value &&
    typeof value.queue === "object" &&
    "at" in value &&
    typeof value.at === "string"
  );
}
