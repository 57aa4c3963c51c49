/**
 * What production feels of a batch, from one slot alone: transactions that overlap a batch beside those of the same slot that do not. The
 * machine is the same for both, so this figure is far less noisy than one slot beside another. It does not see what a batch leaves
 * behind: pages to write, rows to vacuum. A long transaction overlaps any moment more easily than a short one, so some slowness is
 * expected without any cause: the figures `ByChance` are those of moments between the batches.
 */
import type { HandedBatch } from "./applied-log.ts";
import { percentilesOf, type Timed } from "./pgbench.ts";

export interface Felt {
  /** Of all transactions: those that overlap a batch. */
  readonly share: number;
  /** p95 of all / p95 of those that overlap none. */
  readonly p95: number;
  readonly p95ByChance: number;
  /** p95 of those that overlap a batch / of those that overlap none. */
  readonly touchedP95: number;
  readonly touchedP95ByChance: number;
}

/** After the last row is written, the transaction flushes the WAL and ends. */
const COMMIT_MS = 10;

export function feltOf(transactions: readonly Timed[], batches: readonly HandedBatch[]): Felt {
  const real = beside(transactions, batches);
  const chance = beside(transactions, between(batches));
  return {
    share: real.share,
    p95: real.p95,
    p95ByChance: chance.p95,
    touchedP95: real.touchedP95,
    touchedP95ByChance: chance.touchedP95,
  };
}

/** Moments as long as the batches, each half the way to the next batch. */
function between(batches: readonly HandedBatch[]): readonly HandedBatch[] {
  return batches.flatMap((batch, index) => {
    const next = batches[index + 1];
    if (next === undefined) return [];
    const laterMs = (next.beganMs - batch.beganMs) / 2;
    return [{ ...batch, beganMs: batch.beganMs + laterMs, atMs: batch.atMs + laterMs }];
  });
}

function beside(
  transactions: readonly Timed[],
  batches: readonly HandedBatch[],
): Pick<Felt, "share" | "p95" | "touchedP95"> {
  const isTouched = ({ endMs, latencyMs }: Timed): boolean =>
    batches.some(({ beganMs, atMs }) => endMs >= beganMs && endMs - latencyMs <= atMs + COMMIT_MS);
  const groups = Map.groupBy(transactions, isTouched);
  const [touched, others] = [groups.get(true) ?? [], groups.get(false) ?? []];
  const others95 = percentilesOf(others)(0.95);
  return {
    share: touched.length / transactions.length,
    p95: percentilesOf(transactions)(0.95) / others95,
    touchedP95: percentilesOf(touched)(0.95) / others95,
  };
}
