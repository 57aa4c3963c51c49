/**
 * What production feels of a batch, from one slot alone: transactions that overlap a batch beside those of the same slot that do not. The
 * machine is the same for both, so this figure is far less noisy than one slot beside another. It does not see what a batch leaves
 * behind: pages to write, rows to vacuum.
 */
import type { HandedBatch } from "./applied-log.ts";
import { percentilesOf, type Timed } from "./pgbench.ts";

export interface Felt {
  /** Of all transactions: those that overlap a batch. */
  readonly share: number;
  /** p95 of all / p95 of those that overlap none. */
  readonly p95: number;
  /** p50 and p95 of those that overlap a batch / of those that overlap none. */
  readonly touchedP50: number;
  readonly touchedP95: number;
}

/** After the last row is written, the transaction flushes the WAL and ends. */
const COMMIT_MS = 10;

export function feltOf(transactions: readonly Timed[], batches: readonly HandedBatch[]): Felt {
  const isTouched = ({ endMs, latencyMs }: Timed): boolean =>
    batches.some(({ beganMs, atMs }) => endMs >= beganMs && endMs - latencyMs <= atMs + COMMIT_MS);
  const groups = Map.groupBy(transactions, isTouched);
  const [touched, others] = [percentilesOf(groups.get(true) ?? []), percentilesOf(groups.get(false) ?? [])];
  return {
    share: (groups.get(true)?.length ?? 0) / transactions.length,
    p95: percentilesOf(transactions)(0.95) / others(0.95),
    touchedP50: touched(0.5) / others(0.5),
    touchedP95: touched(0.95) / others(0.95),
  };
}
