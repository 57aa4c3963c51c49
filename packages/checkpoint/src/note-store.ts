/** Notes about a run for people. No decision depends on them. */
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import type { ConsumerReport, Gap, RunAction, RunError } from "./notes.ts";

export interface NoteStore {
  addGap(runId: string, gap: Gap): Promise<void>;
  listGaps(runId: string): Promise<readonly Gap[]>;
  /** Keeps the last 20. An error with a kind replaces the previous one of that kind, and counts how often it has occurred. */
  addError(runId: string, error: RunError): Promise<void>;
  /** Sorted by time; errors of the same moment stay in the order in which they were stored. */
  listErrors(runId: string): Promise<readonly RunError[]>;
  /** Keeps the last 100. */
  addAction(runId: string, action: RunAction): Promise<void>;
  /** In the order in which they were stored. */
  listActions(runId: string): Promise<readonly RunAction[]>;
  reportConsumer(runId: string, report: ConsumerReport): Promise<void>;
  listConsumers(runId: string): Promise<readonly ConsumerReport[]>;
  /** When a notice of each kind was sent. The number of kinds is small and fixed. Empty: none was sent. */
  getNotices(runId: string): Promise<Readonly<Record<string, number>>>;
  /** Replaces the stored value. */
  putNotices(runId: string, toldAtMs: Readonly<Record<string, number>>): Promise<void>;
  /** The history of the run, in a format that only its writer knows; the writer also limits its size. Replaces the stored one. */
  putHistory(runId: string, history: string): Promise<void>;
  /** null: none was stored. */
  getHistory(runId: string): Promise<string | null>;
  /** The last audit of a database, which belongs to its pace and not to a run. Replaces the stored one. */
  putAudit(paceId: string, audit: AuditNote): Promise<void>;
  /** null: none was made. */
  getAudit(paceId: string): Promise<AuditNote | null>;
  /** How far a scheduled audit has come, in a format that only its writer knows; the writer also limits its size. Replaces the stored one. */
  putAuditWork(paceId: string, work: string): Promise<void>;
  /** null: none was ever stored. */
  getAuditWork(paceId: string): Promise<string | null>;
}
