/**
 * Up to which position old tombstones may be removed while a run is open. A batch in the queue may contain operations that are
 * older than a tombstone above the applied cursor, but none that are older than one below it. It reads the run's own record:
 * from the table, or from the files that a local process left in its data folder.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { isFinished } from "@firehose-backfill/core/run-state";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { RUNS_FILE, SNAPSHOT_FILE } from "../state-files.ts";

export type TombstoneBound =
  | { readonly kind: "none"; readonly because: string }
  /** null: no run is open, so no batch is in the queue. */
  | { readonly kind: "below"; readonly seq: number | null };

/** @throws TableError */
export async function tombstoneBound({ table, dataDir }: Pick<Settings, "table" | "dataDir">): Promise<TombstoneBound> {
  return table === null ? boundOfFolder(dataDir) : boundOfTable(table);
}

async function boundOfTable(table: string): Promise<TombstoneBound> {
  const client = createDynamoClient({ endpoint: null });
  try {
    const open = await createDynamoStore({ client, table }).openRuns();
    return boundOf(open.map((run) => ({ host: run.source.host, applied: run.appliedCursor?.ordinal ?? 0 })));
  } finally {
    client.destroy();
  }
}

/** Sequence numbers of different hosts cannot be compared. */
function boundOf(open: readonly { readonly host: string | null; readonly applied: number }[]): TombstoneBound {
  const [first, ...more] = open;
  if (first === undefined) return { kind: "below", seq: null };
  if (more.some(({ host }) => host !== first.host))
    return { kind: "none", because: "runs on different hosts are open" };
  return { kind: "below", seq: Math.min(...open.map(({ applied }) => applied)) };
}

async function boundOfFolder(dataDir: string): Promise<TombstoneBound> {
  let snapshots: readonly Pick<Snapshot, "status" | "cursor" | "host">[];
  try {
    snapshots = await readSnapshots(dataDir);
  } catch {
    return { kind: "none", because: "no run is known here; for a deployed run set BACKFILL_TABLE to its table" };
  }
  const open = snapshots.filter(({ status }) => status !== "none" && !isFinished(status));
  // The snapshot is written about once a second. What was applied since then can only raise the position.
  return boundOf(open.map(({ host, cursor }) => ({ host, applied: cursor.applied?.seq ?? 0 })));
}

/** An older program stored the snapshot of its only run. */
async function readSnapshots(dataDir: string): Promise<readonly Pick<Snapshot, "status" | "cursor" | "host">[]> {
  const [runs, one] = await Promise.all(
    [RUNS_FILE, SNAPSHOT_FILE].map((name) => readFile(join(dataDir, name), "utf8").catch(() => null)),
  );
  if (runs != null) {
    const all: readonly Snapshot[] = JSON.parse(runs);
    return all;
  }
  if (one == null) throw new Error("no run has left a snapshot");
  const only: Snapshot = JSON.parse(one);
  return [only];
}
