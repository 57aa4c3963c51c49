/** What is noted beside a run for people. It decides nothing. */
import type { ConsumerReport, Gap, RunError } from "./notes.ts";

export interface NoteStore {
  addGap(runId: string, gap: Gap): Promise<void>;
  listGaps(runId: string): Promise<readonly Gap[]>;
  /** Keeps the last 20. One that has a kind replaces the one before it of its kind, and counts how often it came. */
  addError(runId: string, error: RunError): Promise<void>;
  /** By their time; those of one moment in the order in which they came. */
  listErrors(runId: string): Promise<readonly RunError[]>;
  reportConsumer(runId: string, report: ConsumerReport): Promise<void>;
  listConsumers(runId: string): Promise<readonly ConsumerReport[]>;
  /** When somebody was told of what; the kinds are the writer's, a small and fixed number. Empty: nobody was told anything. */
  getNotices(runId: string): Promise<Readonly<Record<string, number>>>;
  /** Replaces what was there. */
  putNotices(runId: string, toldAtMs: Readonly<Record<string, number>>): Promise<void>;
  /** The course of the run, in a format that only its writer knows; the writer also bounds its size. Replaces what was there. */
  putHistory(runId: string, history: string): Promise<void>;
  /** null: none was ever put there. */
  getHistory(runId: string): Promise<string | null>;
}
