/** Keeps the result of an audit where no process uses the data folder: in the table of the settings, or in the embedded one, started for it. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { keepAudit } from "@firehose-backfill/backfill/keep-audit";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { claimDataDir } from "@firehose-backfill/embedded/data-dir";
import { startEmbedded } from "@firehose-backfill/embedded/stack";
import { readStateFile, RUNS_FILE, SNAPSHOT_FILE, snapshotFileOf, writeStateFile } from "./state-files.ts";

export interface KeepAuditOptions {
  readonly settings: Pick<Settings, "table" | "dataDir">;
  readonly audit: AuditNote;
  /** The id of the database that was audited. */
  readonly database: string;
  readonly signal: AbortSignal;
}

/**
 * `status` answers from the last snapshot where no process runs, so the audit is put there, too.
 * False: there is no table, because no run was started there.
 * @throws what the table and the data folder throw
 */
export async function keepAuditHere({ settings, audit, database, signal }: KeepAuditOptions): Promise<boolean> {
  const { table, dataDir } = settings;
  if (table !== null) {
    await keep({ table, endpoint: null }, { audit, database });
    await putIntoSnapshots(dataDir, audit);
    return true;
  }
  if (!(await isThere(join(resolve(dataDir), "table")))) return false;
  await using claim = await claimDataDir(dataDir);
  const need = { queue: false, table: true, postgres: false, relay: false };
  await using embedded = await startEmbedded({ dataDir: claim.dataDir, need, signal });
  if (embedded.table === null) return false;
  await keep(embedded.table, { audit, database });
  await putIntoSnapshots(claim.dataDir, audit);
  return true;
}

async function putIntoSnapshots(dataDir: string, audit: AuditNote): Promise<void> {
  const open: unknown = await readStateFile(dataDir, RUNS_FILE);
  const names = Array.isArray(open) ? open.flatMap((snapshot) => (isNamed(snapshot) ? [snapshot.name] : [])) : [];
  for (const file of [SNAPSHOT_FILE, RUNS_FILE, ...names.map(snapshotFileOf)]) {
    const stored = await readStateFile(dataDir, file);
    if (stored === null) continue;
    const audited = Array.isArray(stored) ? stored.map((each) => withAudit(each, audit)) : withAudit(stored, audit);
    await writeStateFile(dataDir, file, JSON.stringify(audited));
  }
}

function withAudit(snapshot: unknown, { atMs, ...audit }: AuditNote): unknown {
  if (typeof snapshot !== "object" || snapshot === null) return snapshot;
  return { ...snapshot, audit: { at: new Date(atMs).toISOString(), ...audit } };
}

function isNamed(snapshot: unknown): snapshot is { readonly name: string } {
  return typeof snapshot === "object" && snapshot !== null && "name" in snapshot && typeof snapshot.name === "string";
}

async function keep(
  { table, endpoint }: { readonly table: string; readonly endpoint: string | null },
  kept: Pick<KeepAuditOptions, "audit" | "database">,
): Promise<void> {
  const client = createDynamoClient({ endpoint });
  try {
    await keepAudit(createDynamoStore({ client, table }), kept);
  } finally {
    client.destroy();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
