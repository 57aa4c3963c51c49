/** Memory, batches in hand and connections of all consumer processes together. Pure. */
import type { ConsumerReport } from "@firehose-backfill/checkpoint/notes";

/** What this process knows of itself, fresher than what it last reported. */
export interface LocalFigures {
  /** The report that these figures replace, if this process reports too. */
  readonly consumerId: string | null;
  readonly memoryUsedMb: number;
  /** Batches being applied. */
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}

export interface ProcessFigures {
  /** null: no process has reported. */
  readonly memoryUsedMb: number | null;
  readonly active: number;
  readonly pool: { readonly used: number; readonly size: number };
}

/** A consumer that has not reported for so long is gone, or idle: either way it holds nothing. */
const REPORT_FRESH_MS = 90_000;

/** All consumer processes as one: memory is that of the fullest, because the limit holds for each. */
export function processFigures(input: {
  readonly consumers: readonly ConsumerReport[];
  readonly local?: LocalFigures;
  readonly nowMs: number;
}): ProcessFigures {
  const others = input.consumers.filter(
    ({ id, atMs }) => id !== (input.local?.consumerId ?? null) && input.nowMs - atMs <= REPORT_FRESH_MS,
  );
  const all = others.map((report) => ({ ...report, memoryUsedMb: report.rssMb }));
  const parts = input.local === undefined ? all : [...all, input.local];
  return {
    memoryUsedMb: parts.length === 0 ? null : Math.max(...parts.map((part) => part.memoryUsedMb)),
    active: sum(parts.map((part) => part.active)),
    pool: { used: sum(parts.map((part) => part.poolUsed)), size: sum(parts.map((part) => part.poolSize)) },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
